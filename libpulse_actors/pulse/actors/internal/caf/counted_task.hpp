#pragma once

#include "pulse/actors/caf_version.hpp"

#if CAF_MAJOR_VERSION < 1

#  include <caf/ref_counted.hpp>
#  include <caf/resumable.hpp>

namespace pulse::internal {

/// Something that a thread of CAF runs, and that is no actor. It lives as long
/// as references to it; who gives it to a thread gives one away.
class counted_task : public caf::resumable, public caf::ref_counted {
public:
  subtype_t subtype() const override {
    return function_object;
  }

  void intrusive_ptr_add_ref_impl() override {
    ref();
  }

  void intrusive_ptr_release_impl() override {
    deref();
  }
};

} // namespace pulse::internal

#endif
