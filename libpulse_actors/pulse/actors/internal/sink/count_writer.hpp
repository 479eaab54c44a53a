#pragma once

#include "pulse/actors/internal/sink/context.hpp"
#include "pulse/actors/internal/sink/write_gate.hpp"

#include <vector>

namespace pulse::internal {

/// Stores delivery counts. The marks of crash candidates are repeated until
/// Redis confirms them; other counts are not repeated.
class sink_count_writer {
public:
  using action = delivery_ledger::action;

  explicit sink_count_writer(sink_context& ctx)
    : ctx_(ctx), gate_(ctx, "delivery counts") {
    // nop
  }

  void add_count(action x) {
    counts_.push_back(std::move(x));
  }

  void add_mark(action x) {
    marks_.push_back(std::move(x));
  }

  /// Sends what waits.
  void flush();

private:
  void send_counts();
  void send_marks();
  void send_marks_of(uint32_t stream, std::vector<action> marks);
  void marked(const std::vector<action>& marks, const resp::reply& reply);
  void marks_failed(const std::vector<action>& marks, const failure& why);
  [[nodiscard]] command_ptr count_call(uint32_t stream,
                                       const std::vector<action>& xs) const;

  sink_context& ctx_;
  write_gate gate_;
  std::vector<action> counts_;
  std::vector<action> marks_;
};

} // namespace pulse::internal
