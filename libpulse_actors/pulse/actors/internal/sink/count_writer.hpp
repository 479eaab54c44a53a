#pragma once

#include "pulse/actors/internal/sink/action_sender.hpp"
#include "pulse/actors/internal/sink/context.hpp"

#include <vector>

namespace pulse::internal {

/// Stores delivery counts. The marks of crash candidates are repeated until
/// Redis confirms them; other counts are not repeated.
class sink_count_writer {
public:
  using action = delivery_ledger::action;

  explicit sink_count_writer(sink_context& ctx);

  void add_count(action x) {
    counts_.push_back(std::move(x));
  }

  void add_mark(action x) {
    marks_.add(std::move(x));
  }

  /// Sends what waits.
  void flush();

private:
  status marked(uint32_t stream, const std::vector<action>& marks,
                const resp::reply& reply);
  void claim_anew(uint32_t stream, std::vector<action> marks);
  void lost(const action& mark);
  [[nodiscard]] command_ptr count_call(uint32_t stream,
                                       const std::vector<action>& xs) const;

  sink_context& ctx_;
  std::vector<action> counts_;
  // Workers get the events only when Redis has the marks.
  sink_action_sender marks_;
};

} // namespace pulse::internal
