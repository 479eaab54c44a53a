// CAF's reference counts where TSan can see them: these functions replace the
// ones of the library, which is not instrumented (see caf_order.cpp).

#include <caf/abstract_actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/ref_counted.hpp>

#include <atomic>

namespace caf {

void ref_counted::deref() const noexcept {
  if (rc_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    request_deletion(true);
}

void intrusive_ptr_release_weak(actor_control_block* block) {
  if (block->weak_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
    block->block_dtor(block);
}

void intrusive_ptr_release(actor_control_block* block) {
  if (block->strong_refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block->data_dtor(block->get());
    intrusive_ptr_release_weak(block);
  }
}

} // namespace caf
