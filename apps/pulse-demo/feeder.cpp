#include "pulse-demo/feeder.hpp"

#include "pulse/actors/errors.hpp"

#include <caf/scoped_actor.hpp>

#include "pulse-demo/lines.hpp"

#include <algorithm>
#include <deque>

namespace pulse::apps {

namespace {

constexpr size_t batch_size = 64;
constexpr size_t window = 4;

} // namespace

feeder::feeder(caf::actor_system& sys, stream_actor stream,
               const std::vector<std::string>& lines, tally& totals)
  : lines_(lines), tally_(totals) {
  thread_ = std::thread{[this, &sys, stream] { run(sys, stream); }};
}

feeder::~feeder() {
  stopped_ = true;
  release(0);
  thread_.join();
}

void feeder::release(size_t lines) {
  std::lock_guard<std::mutex> guard{mutex_};
  limit_ = std::min(limit_ + lines, lines_.size());
  changed_.notify_all();
}

size_t feeder::held_back() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return lines_.size() - limit_;
}

void feeder::run(caf::actor_system& sys, const stream_actor& stream) {
  size_t added = 0;
  while (error_ && added < lines_.size() && !stopped_) {
    std::unique_lock<std::mutex> guard{mutex_};
    changed_.wait(guard, [&] { return limit_ > added || stopped_; });
    const auto limit = limit_;
    guard.unlock();
    error_ = add(sys, stream, added, limit);
    added = limit;
  }
  done_ = true;
}

status feeder::add(caf::actor_system& sys, const stream_actor& stream,
                   size_t begin, size_t end) {
  using batch = std::vector<new_event>;
  caf::scoped_actor self{sys};
  status result;
  auto send = [&](size_t from) {
    batch xs;
    for (auto i = from; i < std::min(from + batch_size, end); ++i)
      xs.push_back({"line", lines_[i], topic_of(lines_[i])});
    return self->request(stream, caf::infinite, caf::add_atom_v, std::move(xs));
  };
  std::deque<decltype(send(0))> under_way;
  while (result && !stopped_ && (begin < end || !under_way.empty())) {
    for (; under_way.size() < window && begin < end; begin += batch_size)
      under_way.push_back(send(begin));
    under_way.front().receive(
      [&](std::vector<add_result>& xs) {
        for (const auto& x : xs) {
          if (x.code == errc::none)
            tally_.add(x.id);
          else
            result = failure{x.code, x.what};
        }
      },
      [&](caf::error& why) { result = to_failure(why); });
    under_way.pop_front();
  }
  return result;
}

} // namespace pulse::apps
