#include "pure/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<uint64_t> allocations{0};

void* allocate(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (auto* result = std::malloc(size > 0 ? size : 1))
    return result;
  throw std::bad_alloc{};
}

} // namespace

void* operator new(size_t size) {
  return allocate(size);
}

void* operator new[](size_t size) {
  return allocate(size);
}

void operator delete(void* x) noexcept {
  std::free(x);
}

void operator delete[](void* x) noexcept {
  std::free(x);
}

void operator delete(void* x, size_t) noexcept {
  std::free(x);
}

void operator delete[](void* x, size_t) noexcept {
  std::free(x);
}

namespace pulse::bench {

uint64_t count_allocations() noexcept {
  return allocations.load(std::memory_order_relaxed);
}

} // namespace pulse::bench
