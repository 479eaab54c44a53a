#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace pulse::chaos {

group_losses::group_losses(const history& run, std::string sink)
  : run_(run), sink_(std::move(sink)) {
  for (const auto& x : run_.faults)
    if (hits_sink(x, sink_) && (x.kind == "setid" || x.kind == "del-consumer"))
      left_[&x] = x.taken;
}

namespace {

// A sink notices within seconds that somebody deleted its consumer, and claims
// its events anew, unless another fault prevents that.
constexpr int64_t notice_us = 8'000'000;

bool is_prevented(const history& run, const fault& deleted) {
  return std::any_of(run.faults.begin(), run.faults.end(), [&](const fault& x) {
    return &x != &deleted && x.kind != "del-consumer" && x.kind != "setid"
           && hits(x, deleted.slot) && x.begin <= deleted.end + notice_us
           && x.until >= deleted.begin;
  });
}

} // namespace

const fault* group_losses::cause(const stored_event& lost) {
  const auto& added = run_.adds[lost.event];
  for (auto& [x, left] : left_) {
    const bool explains = x->kind == "setid"
                            ? x->from < lost.id && lost.id <= x->to
                            : added.invoked <= x->end && is_prevented(run_, *x);
    if (left > 0 && explains) {
      --left;
      return x;
    }
  }
  return nullptr;
}

} // namespace pulse::chaos
