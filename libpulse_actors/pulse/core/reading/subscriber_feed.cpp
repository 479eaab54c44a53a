#include "pulse/core/reading/subscriber_feed.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulse {

subscriber_feed::subscriber_feed(overflow_policy overflow, uint32_t buffer,
                                 uint32_t credit)
  : policy_(overflow), buffer_(buffer), credit_(credit) {
  // nop
}

// -- the live tail ------------------------------------------------------------

offer_result subscriber_feed::offer(const event& x) {
  if (!missed_.empty())
    if (auto i = missed_.find(x.stream()); i != missed_.end()) {
      miss(i, x);
      return offer_result::behind;
    }
  if (full())
    return overflow(x);
  waiting_.push_back(x);
  return offer_result::taken;
}

offer_result subscriber_feed::overflow(const event& x) {
  switch (policy_) {
    case overflow_policy::drop_oldest:
      waiting_.pop_front();
      waiting_.push_back(x);
      return offer_result::dropped_oldest;
    case overflow_policy::fail:
      return offer_result::overflow;
    default: {
      const auto first = missed_.empty();
      const auto before = x.id().previous();
      missed_.emplace(x.stream(), span{before, x.id(), before, 1, 0});
      return first ? offer_result::left_tail : offer_result::behind;
    }
  }
}

void subscriber_feed::miss(span_map::iterator where, const event& x) {
  auto& [stream, missed] = *where;
  if (x.id() > missed.until || x.id() <= missed.after)
    ++missed.missed;
  // IDs go back if a stream is removed from the reader and added again with an
  // earlier start.
  missed.begin = std::min(missed.begin, x.id().previous());
  missed.after = std::min(missed.after, x.id().previous());
  missed.until = std::max(missed.until, x.id());
  if (!fetching_ || fetching_->stream != stream || !tail_whole_)
    return;
  if (full() || x.id() <= fetching_->until) {
    tail_whole_ = false;
    tail_.clear();
  } else {
    tail_.push_back(x);
  }
}

uint32_t subscriber_feed::room() const noexcept {
  const auto used = waiting_.size() + tail_.size();
  return used < buffer_ ? buffer_ - static_cast<uint32_t>(used) : 0;
}

// -- sending ------------------------------------------------------------------

std::optional<subscriber_feed::delivery> subscriber_feed::next() {
  if (!may_send())
    return std::nullopt;
  delivery result{std::move(waiting_.front())};
  waiting_.pop_front();
  ++held_;
  ++unasked_;
  // Two answers per full credit: so events can be sent while an answer is on
  // its way.
  if (asked_.empty() || held_ >= credit_ || unasked_ >= credit_ / 2) {
    result.returns = std::exchange(unasked_, 0);
    result.answer = ++last_answer_;
  }
  return result;
}

std::optional<subscriber_feed::batch>
subscriber_feed::next_batch(uint32_t most) {
  if (!may_send())
    return std::nullopt;
  const auto free = held_ < credit_ ? credit_ - held_ : 1;
  const auto size
    = std::min({most, free, static_cast<uint32_t>(waiting_.size())});
  const auto end = waiting_.begin() + size;
  batch result{{std::make_move_iterator(waiting_.begin()),
                std::make_move_iterator(end)},
               std::exchange(unasked_, 0) + size,
               ++last_answer_};
  waiting_.erase(waiting_.begin(), end);
  held_ += size;
  return result;
}

// Most answers come in the order of the deliveries.
void subscriber_feed::answered(uint64_t answer) {
  auto i = std::find_if(asked_.begin(), asked_.end(),
                        [=](auto& x) { return x.number == answer; });
  if (i == asked_.end())
    return;
  held_ -= i->credit;
  asked_.erase(i);
}

std::optional<subscriber_feed::time_point>
subscriber_feed::waits_since() const noexcept {
  if (asked_.empty())
    return std::nullopt;
  return asked_.front().sent;
}

size_t subscriber_feed::give_up(time_point when) {
  size_t result = 0;
  while (!asked_.empty() && asked_.front().sent <= when) {
    held_ -= asked_.front().credit;
    asked_.pop_front();
    ++result;
  }
  return result;
}

// -- catching up --------------------------------------------------------------

std::optional<subscriber_feed::missing_range>
subscriber_feed::next_range(uint32_t max_count) {
  if (fetching_ || missed_.empty() || room() < std::max(1u, buffer_ / 2))
    return std::nullopt;
  auto i = missed_.upper_bound(last_stream_);
  if (i == missed_.end())
    i = missed_.begin();
  last_stream_ = i->first;
  fetching_ = missing_range{i->first, i->second.after, i->second.until,
                            std::clamp(room() / 2, 1u, max_count)};
  tail_whole_ = true;
  expected_ = i->second.missed;
  page_first_.reset();
  return fetching_;
}

void subscriber_feed::take(const event& x) {
  if (!page_first_)
    page_first_ = x.id();
  ++missed_.find(fetching_->stream)->second.taken;
  waiting_.push_back(x);
}

std::optional<subscriber_feed::loss> subscriber_feed::fetched(event_id last,
                                                              bool complete) {
  auto i = missed_.find(fetching_->stream);
  std::optional<loss> result;
  if (complete) {
    auto& x = i->second;
    if (x.taken < expected_)
      result = loss{i->first, x.begin,
                    page_first_.value_or(fetching_->until.next()),
                    expected_ - x.taken};
    x.begin = fetching_->until;
    x.missed -= expected_;
    x.taken = 0;
  }
  if (complete && tail_whole_) {
    waiting_.insert(waiting_.end(), tail_.begin(), tail_.end());
    missed_.erase(i);
  } else if (i->second.after == fetching_->after) {
    i->second.after = complete ? fetching_->until : last;
  }
  stop_fetching();
  return result;
}

subscriber_feed::loss subscriber_feed::given_up() {
  auto i = missed_.find(fetching_->stream);
  const auto& x = i->second;
  loss result{i->first, x.begin, x.until.next(), x.missed - x.taken};
  missed_.erase(i);
  stop_fetching();
  return result;
}

void subscriber_feed::stop_fetching() noexcept {
  fetching_.reset();
  tail_.clear();
}

// -- leaving ------------------------------------------------------------------

std::map<std::string, event_id> subscriber_feed::unsent() const {
  std::map<std::string, event_id> result;
  // Waiting events come before the missed events of the same stream.
  for (auto& x : waiting_)
    result.emplace(x.stream(), x.id().previous());
  for (auto& [stream, missed] : missed_)
    result.emplace(stream, missed.after);
  return result;
}

} // namespace pulse
