#include "support/allocations.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<uint64_t> count{0};
std::atomic<int64_t> bytes{0};

void* allocate(size_t size) {
  auto* result = std::malloc(size > 0 ? size : 1);
  if (result == nullptr)
    throw std::bad_alloc{};
  count.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<int64_t>(malloc_usable_size(result)),
                  std::memory_order_relaxed);
  return result;
}

void release(void* x) noexcept {
  bytes.fetch_sub(static_cast<int64_t>(malloc_usable_size(x)),
                  std::memory_order_relaxed);
  std::free(x);
}

} // namespace

void* operator new(size_t size) {
  return allocate(size);
}

void* operator new[](size_t size) {
  return allocate(size);
}

void operator delete(void* x) noexcept {
  release(x);
}

void operator delete[](void* x) noexcept {
  release(x);
}

void operator delete(void* x, size_t) noexcept {
  release(x);
}

void operator delete[](void* x, size_t) noexcept {
  release(x);
}

namespace pulse::test {

allocations count_allocations() noexcept {
  return {count.load(std::memory_order_relaxed),
          bytes.load(std::memory_order_relaxed)};
}

} // namespace pulse::test
