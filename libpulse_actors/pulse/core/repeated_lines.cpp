#include "pulse/core/repeated_lines.hpp"

#include <algorithm>
#include <utility>

namespace pulse {

repeated_lines::repeated_lines(std::string what, write_function write)
  : what_(std::move(what)), write_(std::move(write)) {
  // nop
}

repeated_lines::~repeated_lines() {
  if (gathered_ > 0)
    write_gathered();
}

void repeated_lines::add(std::string line, time_point now) {
  tick(now);
  if (!std::exchange(running_, true)) {
    begin_ = now;
    single_ = 0;
  }
  if (single_ < max_single) {
    ++single_;
    write_(line);
    return;
  }
  ++gathered_;
  last_ = std::move(line);
  last_time_ = now;
}

void repeated_lines::tick(time_point now) {
  if (!running_ || now - begin_ < interval)
    return;
  if (gathered_ == 0) {
    running_ = false;
    return;
  }
  write_gathered();
  // The lines of the next interval are gathered from the first one on.
  begin_ = now;
}

void repeated_lines::write_gathered() {
  using std::chrono::seconds;
  const auto during = std::chrono::ceil<seconds>(last_time_ - begin_);
  write_(std::to_string(std::exchange(gathered_, 0)) + " " + what_ + " within "
         + std::to_string(std::max(during, seconds{1}).count())
         + " s; the last line: " + std::exchange(last_, {}));
}

} // namespace pulse
