#pragma once

#include "pulse/actors/internal/sink/ack_writer.hpp"
#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/write_gate.hpp"
#include "pulse/core/repeated_lines.hpp"

#include <set>
#include <string>
#include <vector>

namespace pulse::internal {

/// Writes dead letters. Each is repeated until Redis confirms it.
class sink_dead_letter_writer {
public:
  using action = delivery_ledger::action;

  sink_dead_letter_writer(sink_context& ctx, sink_ack_writer& acks)
    : ctx_(ctx),
      acks_(acks),
      gate_(ctx, "dead letters"),
      letter_lines_("more events were given up", writer_of(ctx)),
      removal_lines_("more times dead letters were removed", writer_of(ctx)) {
    // nop
  }

  void add(action x) {
    waiting_.push_back(std::move(x));
  }

  /// Sends what waits.
  void flush();

  /// Appends the events of a stream whose dead letters wait to be sent.
  void list(uint32_t stream, std::vector<event_id>& into) const;

  /// Adds the streams with dead letters that are not confirmed yet.
  void list_streams(std::set<uint32_t>& into) const;

  /// @returns how many dead letters are not confirmed yet.
  [[nodiscard]] size_t backlog() const noexcept {
    return waiting_.size() + sent_.size();
  }

private:
  static repeated_lines::write_function writer_of(sink_context& ctx) {
    return [&ctx](const auto& x) { ctx.report(log_level::warning, x); };
  }

  void send(const action& x);
  void stored(const action& x, const resp::reply& reply);
  void claim_anew(const action& x);
  void count_removed(const std::string& stream, const outcome<int64_t>& n);
  void failed(action x, const failure& why);

  sink_context& ctx_;
  sink_ack_writer& acks_;
  write_gate gate_;
  std::vector<action> waiting_;
  // The streams of the dead letters under way.
  std::multiset<uint32_t> sent_;
  repeated_lines letter_lines_;
  repeated_lines removal_lines_;
};

} // namespace pulse::internal
