#include "pulse-demo/tally.hpp"

#include <algorithm>

namespace pulse::apps {

tally::tally(size_t nodes) {
  counts_.by_node.resize(nodes);
}

void tally::add(event_id id) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& x = records_[id];
  x.added = true;
  ++counts_.added;
  // The line may have come before the answer to the add.
  if (x.lines > 0)
    ++counts_.delivered;
}

void tally::deliver(size_t node, event_id id, uint32_t deliveries) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& x = records_[id];
  ++counts_.by_node[node];
  if (deliveries > 1)
    ++counts_.redelivered;
  ++x.lines;
  if (x.lines == 1 && x.added)
    ++counts_.delivered;
  if (x.lines == 2)
    ++counts_.twice;
}

void tally::read(const std::string& topic) {
  std::lock_guard<std::mutex> guard{mutex_};
  ++counts_.read;
  ++topics_[topic];
}

tally_counts tally::counts() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return counts_;
}

std::vector<std::pair<std::string, uint64_t>> tally::topics() const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::vector<std::pair<std::string, uint64_t>> result{topics_.begin(),
                                                       topics_.end()};
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) {
                     return a.second > b.second;
                   });
  return result;
}

} // namespace pulse::apps
