#pragma once

#include "pulse/core/delivery/partition.hpp"
#include "pulse/core/names.hpp"
#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_scripts.hpp"

#include "support/fake_connection.hpp"
#include "support/read_replies.hpp"
#include "support/retention_replies.hpp"
#include "support/unowned_entries.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulse::test {

/// A fake Redis for sinks and streams, controlled by the test. It answers the
/// periodic commands of a sink as a Redis without faults would. A test can set
/// other replies for the next commands of a kind, refuse or lose these
/// commands, or delay them. It keeps the events that no node owns. A kind is
/// the name of a command, or the name of the script that the command calls.
/// Reads on blocking connections wait for give() or for an unblock.
class scripted_redis {
public:
  /// @param now Returns the virtual time.
  scripted_redis(caf::actor_system& sys,
                 std::function<unowned_entries::time_point()> now)
    : sys_(sys), unowned_(std::move(now)), commands(sys) {
    commands.set_batch_rule(
      [this](const std::vector<argv>& xs) { return reply_to(xs); });
  }

  scripted_redis(const scripted_redis&) = delete;
  scripted_redis& operator=(const scripted_redis&) = delete;

  connection_source source() {
    return {commands.handle(), [this](const std::string& purpose) {
              purposes.push_back(purpose);
              blocking_.push_back(std::make_unique<fake_connection>(sys_));
              blocking_.back()->set_unblock_answer(nothing);
              return blocking_.back()->handle();
            }};
  }

  /// The blocking connection that was opened last.
  fake_connection& blocking() {
    if (blocking_.empty())
      CAF_FAIL("nobody opened a blocking connection");
    return *blocking_.back();
  }

  // -- the script -------------------------------------------------------------

  /// The next command of that kind gets this reply.
  void answer(const std::string& kind, std::string reply) {
    script_[kind].emplace_back(std::move(reply));
  }

  /// The next command of that kind gets an error reply.
  void refuse(const std::string& kind, const std::string& why) {
    answer(kind, "-" + why + "\r\n");
  }

  /// The connection is lost during the next command of that kind, so its
  /// outcome is unknown.
  void lose(const std::string& kind, errc code = errc::connection_lost) {
    script_[kind].emplace_back(failure{code, "as told"});
  }

  /// Commands of that kind, and all later commands, wait until release().
  void hold(const std::string& kind) {
    held_.insert(kind);
  }

  void release(const std::string& kind) {
    held_.erase(kind);
    commands.look_again();
  }

  /// Every command fails or waits until comes_back().
  void goes_away(errc code = errc::connect_failed) {
    away_ = code;
    commands.look_again();
  }

  void comes_back() {
    away_ = errc::none;
  }

  // -- what arrived -----------------------------------------------------------

  /// The arguments of the commands of that kind that arrived since the last
  /// call for that kind, separated by " | ". Keys of streams appear as the
  /// names of the streams, and `consumer` as "me".
  std::string calls(const std::string& kind, const std::string& consumer) {
    auto& from = seen_[kind];
    std::string result;
    const auto& all = commands.commands();
    for (; from < all.size(); ++from)
      if (kind_of(all[from]) == kind)
        result.append(result.empty() ? "" : " | ")
          .append(text_of(all[from], consumer));
    return result;
  }

  static std::string text_of(const argv& command, const std::string& consumer) {
    std::string result;
    const size_t skipped = command[0] == "EVALSHA" ? 3 : 1;
    for (size_t i = skipped; i < command.size(); ++i) {
      auto x = command[i] == consumer ? std::string{"me"} : command[i];
      if (x.find("}:delayed:") != std::string::npos
          || x.find("}:paused:") != std::string::npos
          || x.find("}:late-acks:") != std::string::npos
          || x.find("}:position:") != std::string::npos
          || (kind_of(command) == "audit"
              && x.find("}:members:") != std::string::npos))
        continue; // keys beside the stream
      if (x.rfind(stream_key({}), 0) == 0)
        x.erase(0, stream_key({}).size());
      result.append(result.empty() ? "" : " ").append(x);
    }
    return result;
  }

  /// The kinds of all commands that arrived, in order. With this list tests
  /// check which command came first.
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> result;
    for (const auto& x : commands.commands())
      result.push_back(kind_of(x));
    return result;
  }

  static std::string kind_of(const argv& command) {
    if (command[0] == "XGROUP" || command[0] == "XINFO")
      return command[0] + " " + command[1];
    // The checks of streams of which a sink holds no event.
    if (command[0] == "XREADGROUP"
        && command.back().rfind("1844674407", 0) == 0)
      return "mark";
    if (command[0] == "XPENDING" && command.size() > 3 && command[3] == "-"
        && command[5] == "1")
      return "check";
    if (command[0] == "XPENDING" && command.size() == 3)
      return "XPENDING summary";
    if (command[0] != "EVALSHA")
      return command[0];
    using namespace resp;
    for (const auto* x :
         {&renew_script(), &take_over_script(), &release_script(),
          &count_script(), &clean_consumers_script(), &audit_script(),
          &create_group_script(), &dead_letter_script(), &delay_script(),
          &retention_script(), &trim_script(), &share_script(), &keep_script(),
          &stay_script(), &leave_script(), &end_consumer_script(),
          &open_group_script()})
      if (x->sha1 == command[1])
        return std::string{x->name};
    CAF_FAIL("a script that nobody knows: " << command[1]);
  }

  /// What the script of keyed sinks answers. By default the sink is the only
  /// member.
  struct share_reply {
    bool sole = true;
    std::string others;
    bool again = false;
    uint64_t waiting = 0;
    std::string blocked_by;
    std::string after{"0-0"};
    std::string wake{"0-0"};
    /// The sink owns the partitions below this one, or the others.
    size_t first_of_others = partition_count;
    partition_set leaving;
    /// Replies: the lines of XPENDING, the IDs and pauses, and the entries.
    std::string facts = array_of(0);
    std::string pauses = array_of(0);
    std::string entries = array_of(0);

    [[nodiscard]] std::string text() const {
      std::vector<size_t> own;
      std::vector<size_t> gives_up;
      for (size_t i = 0; i < first_of_others; ++i)
        (leaving[i] ? gives_up : own).push_back(i);
      return array_of(14) + number(sole) + bulk(others) + number(again)
             + number(waiting) + number(waiting) + bulk(blocked_by)
             + bulk(after) + bulk(wake) + numbers(own) + numbers(gives_up)
             + array_of(0) + facts + pauses + entries;
    }

  private:
    static std::string number(uint64_t x) {
      return ":" + std::to_string(x) + "\r\n";
    }
    static std::string numbers(const std::vector<size_t>& xs) {
      auto result = array_of(xs.size());
      for (auto x : xs)
        result += number(x);
      return result;
    }
  };

private:
  using step = outcome<std::string>;

  std::optional<step> reply_to(const std::vector<argv>& batch) {
    if (away_ != errc::none)
      return failure{away_, "Redis is away"};
    for (const auto& x : batch)
      if (held_.count(kind_of(x)) > 0)
        return std::nullopt;
    std::string result;
    for (const auto& x : batch) {
      auto reply = next_step(x);
      if (!reply)
        return reply;
      result += *reply;
    }
    return step{std::move(result)};
  }

  step next_step(const argv& command) {
    auto& steps = script_[kind_of(command)];
    if (steps.empty())
      return undisturbed(command);
    auto result = std::move(steps.front());
    steps.pop_front();
    return result;
  }

  // Returns the reply of a Redis in which nothing has happened.
  std::string undisturbed(const argv& x) {
    const auto kind = kind_of(x);
    if (kind == "XACK")
      unowned_.acknowledge(x);
    if (kind == "XGROUP SETID")
      return "+OK\r\n";
    if (kind == "open_group")
      return array_of(3) + bulk("") + bulk("0-0") + bulk("");
    if (kind == "XINFO STREAM") {
      const audit_facts same;
      return facts_of(same.length, same.added, same.first_ms, same.last_ms);
    }
    if (kind == "XRANGE")
      return same_entry(x);
    if (kind == "XINFO GROUPS" || kind == "XPENDING" || kind == "check"
        || kind == "keep")
      return array_of(0);
    if (kind == "XREADGROUP" || kind == "mark")
      return no_own(x);
    if (kind == "share")
      return share_reply{}.text();
    if (kind == "stay")
      return bulk(std::string(keys_of(x) / 3, '2'));
    if (kind == "leave")
      return array_of(2) + ":0\r\n" + array_of(0);
    if (kind == "take_over")
      return unowned_.take_over(x);
    if (kind == "delay")
      return unowned_.delay(x);
    if (kind == "audit")
      return audit_reply({});
    if (kind == "create_group")
      return ":1\r\n";
    if (kind == "dead_letter")
      return array_of(2) + bulk("77-0") + ":0\r\n";
    if (kind == "release")
      return unowned_.release(x);
    if (kind == "renew")
      return array_of(2) + ":0\r\n" + array_of(0);
    if (kind == "count")
      return counted(x);
    if (kind == "retention")
      return retention_reply(x);
    if (kind == "trim")
      return array_of(6) + ":0\r\n:0\r\n" + bulk("") + ":0\r\n:0\r\n:0\r\n";
    if (kind == "PING")
      return "+PONG\r\n";
    return ":0\r\n";
  }

  // Returns how many keys a script has.
  static size_t keys_of(const argv& x) {
    return std::stoul(x[2]);
  }

  // Returns the entry that XRANGE <key> <id> <id> asks for.
  static std::string same_entry(const argv& x) {
    const auto ms = parse_event_id(x[2]).value().ms;
    return ms > 0 ? entries(ms, ms) : array_of(0);
  }

  // Returns a reply without pending entries: each stream has an empty list.
  static std::string no_own(const argv& x) {
    const auto streams = std::find(x.begin(), x.end(), "STREAMS");
    const auto count = static_cast<size_t>(x.end() - streams - 1) / 2;
    std::string result = array_of(count);
    for (size_t i = 1; i <= count; ++i)
      result += array_of(2) + bulk(*(streams + static_cast<ptrdiff_t>(i)))
                + array_of(0);
    return result;
  }

  // Returns the reply for a consumer that owns all entries. The command is
  // EVALSHA sha 2 stream key group consumer, then IDs, counts and pauses.
  static std::string counted(const argv& x) {
    std::string result = array_of((x.size() - 7) / 3);
    for (size_t i = 7; i < x.size(); i += 3)
      result += bulk(x[i]);
    return result;
  }

  caf::actor_system& sys_;
  std::vector<std::unique_ptr<fake_connection>> blocking_;
  std::map<std::string, std::deque<step>> script_;
  std::set<std::string> held_;
  std::map<std::string, size_t> seen_;
  errc away_ = errc::none;
  unowned_entries unowned_;

public:
  /// The shared connection.
  fake_connection commands;
  /// The purposes of the blocking connections that were opened, in order.
  std::vector<std::string> purposes;
};

} // namespace pulse::test
