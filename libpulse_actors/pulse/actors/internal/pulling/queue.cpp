#include "pulse/actors/internal/pulling/queue.hpp"

#include "pulse/actors/errors.hpp"
#include "pulse/actors/type_ids.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulse::internal {

// A delivery that is destroyed may send a message. So deliveries are moved out
// of the locked part.

pull_queue::~pull_queue() {
  ::close(fd_);
}

void pull_queue::push(delivery x) {
  std::unique_lock guard{mutex_};
  if (end_ || asleep_)
    return guard.unlock();
  waiting_.push_back(std::move(x));
  show(true);
  changed_.notify_one();
}

std::vector<delivery> pull_queue::end(caf::error why, bool drop_rest) {
  std::unique_lock guard{mutex_};
  auto dropped = drop_rest ? move_out(waiting_.size())
                           : std::vector<delivery>{};
  if (!end_)
    end_ = std::move(why);
  asleep_ = false;
  show(true);
  changed_.notify_all();
  return dropped;
}

void pull_queue::drop() {
  std::deque<delivery> rest;
  std::unique_lock guard{mutex_};
  rest.swap(waiting_);
  show(end_.has_value());
  guard.unlock();
}

void pull_queue::sleep() {
  std::deque<delivery> rest;
  std::unique_lock guard{mutex_};
  rest.swap(waiting_);
  asleep_ = !end_;
  show(true);
  guard.unlock();
}

void pull_queue::drop(const delivery_id& which) {
  std::optional<delivery> dropped;
  std::unique_lock guard{mutex_};
  const auto is_it = [&](const delivery& x) {
    const auto what = x->delivery();
    return what.id == which.id && what.attempt == which.attempt
           && what.stream == which.stream;
  };
  const auto i = std::find_if(waiting_.begin(), waiting_.end(), is_it);
  if (i == waiting_.end())
    return guard.unlock();
  dropped = std::move(*i);
  waiting_.erase(i);
  show(!waiting_.empty() || end_);
  guard.unlock();
}

std::vector<delivery_id> pull_queue::waiting() const {
  std::unique_lock guard{mutex_};
  std::vector<delivery_id> result;
  result.reserve(waiting_.size());
  for (const auto& x : waiting_)
    result.push_back(x->delivery());
  return result;
}

bool pull_queue::is_used(clock::duration time) const {
  std::unique_lock guard{mutex_};
  return askers_ > 0 || clock::now() - last_asked_ < time;
}

caf::expected<std::vector<delivery>> pull_queue::get(size_t most,
                                                     clock::duration limit) {
  std::unique_lock guard{mutex_};
  ++askers_;
  changed_.wait_for(guard, limit,
                    [this] { return !waiting_.empty() || end_ || asleep_; });
  --askers_;
  last_asked_ = clock::now();
  if (end_ && (waiting_.empty() || is_closed_))
    return *end_;
  return take(most);
}

std::vector<delivery> pull_queue::take(size_t most) {
  auto result = move_out(most);
  show(!waiting_.empty() || end_ || asleep_);
  return result;
}

std::vector<delivery> pull_queue::move_out(size_t most) {
  const auto n = static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  const auto end = waiting_.begin() + n;
  std::vector<delivery> result{std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(end)};
  waiting_.erase(waiting_.begin(), end);
  return result;
}

bool pull_queue::wake() {
  std::unique_lock guard{mutex_};
  last_asked_ = clock::now();
  if (!std::exchange(asleep_, false))
    return false;
  show(end_.has_value());
  return true;
}

void pull_queue::sleep_on() {
  std::unique_lock guard{mutex_};
  asleep_ = !end_;
  show(true);
}

void pull_queue::close() {
  std::unique_lock guard{mutex_};
  is_closed_ = true;
  if (!end_)
    end_ = make_error({errc::closed, "the inbox was closed"});
  show(true);
  changed_.notify_all();
}

size_t pull_queue::available() const {
  std::unique_lock guard{mutex_};
  return waiting_.size();
}

void pull_queue::show(bool readable) {
  if (std::exchange(readable_, readable) == readable)
    return;
  // Neither call can fail: the counter is 0 or 1.
  eventfd_t value = 0;
  if (readable)
    (void) ::eventfd_write(fd_, 1);
  else
    (void) ::eventfd_read(fd_, &value);
}

} // namespace pulse::internal
