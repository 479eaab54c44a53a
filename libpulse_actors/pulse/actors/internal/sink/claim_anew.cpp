#include "pulse/actors/internal/sink/claim_anew.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/core/delivery/counter.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace pulse::internal {

namespace {

// How many events one command claims, so that it does not stop Redis for long.
constexpr size_t page_size = 500;

using held_event = delivery_ledger::held_event;
using held_events = std::vector<held_event>;

// Claims a list of events. The commands for all events that were only here are
// sent at once: no ack can come between them.
class claim : public std::enable_shared_from_this<claim> {
public:
  using function = std::function<void(const outcome<std::vector<event_id>>&)>;

  claim(sink_context& ctx, uint32_t stream, held_events xs, function then)
    : ctx_(ctx), stream_(stream), then_(std::move(then)) {
    const auto others = std::find_if_not(
      xs.begin(), xs.end(), [](const auto& x) { return x.only_here; });
    others_.assign(others, xs.end());
    xs.erase(others, xs.end());
    first_ = std::move(xs);
  }

  void begin() {
    send(std::exchange(first_, {}));
    if (under_way_ == 0)
      finish();
  }

private:
  void send(const held_events& xs) {
    for (size_t i = 0; i < xs.size(); i += page_size)
      send_page(xs, i, std::min(i + page_size, xs.size()));
  }

  void send_page(const held_events& xs, size_t i, size_t end) {
    const auto& at = ctx_.streams[stream_];
    script_call call{resp::keep_script(),
                     {at.key, resp::late_acks_key(at.name, ctx_.options.name)}};
    call.arg(ctx_.options.name).arg(ctx_.consumer).arg("0");
    call.arg(uint64_t{end - i});
    for (; i < end; ++i)
      call.arg(xs[i].id).arg(pack(xs[i].counts, xs[i].marked));
    ++under_way_;
    ctx_.run(
      call.finish_with_script(),
      [self = shared_from_this()](const reply_ptr& reply) {
        self->on_reply(*reply);
      },
      [self = shared_from_this()](const caf::error& err) {
        self->ended(to_failure(err));
      });
  }

  void on_reply(const resp::reply& reply) {
    resp::cursor at{reply};
    at.skip(); // SCRIPT LOAD
    auto ids = resp::read_ids(at, "keep");
    if (!ids) {
      ctx_.note_refusal(ids.error());
      return ended(ids.error());
    }
    claimed_.insert(claimed_.end(), ids->begin(), ids->end());
    ended({});
  }

  void ended(status how) {
    if (!how)
      result_ = std::move(how);
    if (--under_way_ > 0)
      return;
    // It is proven that the consumer was deleted, so the other events count,
    // too, except those that were acknowledged meanwhile.
    if (!claimed_.empty() && result_ && !others_.empty()) {
      others_.erase(std::remove_if(others_.begin(), others_.end(),
                                   [this](const held_event& x) {
                                     return ctx_.ledger.is_acknowledged(stream_,
                                                                        x.id);
                                   }),
                    others_.end());
      send(std::exchange(others_, {}));
    }
    if (under_way_ == 0)
      finish();
  }

  void finish() {
    if (!claimed_.empty())
      ctx_.report_deleted_consumer(stream_, claimed_.size());
    if (!result_)
      return then_(result_.error());
    std::sort(claimed_.begin(), claimed_.end());
    then_(std::move(claimed_));
  }

  sink_context& ctx_;
  uint32_t stream_;
  held_events first_;
  held_events others_;
  size_t under_way_ = 0;
  status result_;
  std::vector<event_id> claimed_;
  function then_;
};

} // namespace

void claim_anew(
  sink_context& ctx, uint32_t stream, held_events xs,
  std::function<void(const outcome<std::vector<event_id>>&)> then) {
  std::make_shared<claim>(ctx, stream, std::move(xs), std::move(then))->begin();
}

} // namespace pulse::internal
