#include "chaos/checker/checker.hpp"

namespace pulse::chaos {

group_losses::group_losses(const history& run, std::string sink)
  : run_(run), sink_(std::move(sink)) {
  for (const auto& x : run_.faults)
    if (hits_sink(x, sink_) && (x.kind == "setid" || x.kind == "del-consumer"))
      left_[&x] = x.taken;
}

const fault* group_losses::cause(const stored_event& lost) {
  const auto& added = run_.adds[lost.event];
  for (auto& [x, left] : left_) {
    const bool explains = x->kind == "setid"
                            ? x->from < lost.id && lost.id <= x->to
                            : added.invoked <= x->end;
    if (left > 0 && explains) {
      --left;
      return x;
    }
  }
  return nullptr;
}

} // namespace pulse::chaos
