#define CAF_SUITE simulation.model_vs_redis

#include "pulse/core/backoff.hpp"
#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/sink_scripts.hpp"
#include "pulse/resp/stream_scripts.hpp"
#include "pulse/testing/local_redis.hpp"

#include "simulation/model/redis_model.hpp"
#include "support/raw_client.hpp"

#include <cstdlib>
#include <random>

using namespace pulse;
using simulation::arguments;

namespace {

constexpr int64_t node_size = 4;

// Far above what passes while a test runs, so that idle times are either near
// 0 or near a multiple of it, on the server as in the model.
constexpr int64_t long_ago = 100'000'000;

const resp::script* const scripts[]
  = {&resp::renew_script(),        &resp::take_over_script(),
     &resp::release_script(),      &resp::count_script(),
     &resp::audit_script(),        &resp::clean_consumers_script(),
     &resp::dead_letter_script(),  &resp::trim_script(),
     &resp::retention_script(),    &resp::delay_script(),
     &resp::end_consumer_script(), &resp::open_group_script()};

std::string encoded(const simulation::value& x) {
  std::string result;
  simulation::encode(x, result);
  return result;
}

// Keeps of each number what both sides must agree in. Times of this run are
// rounded; a nil list looks like any nil to the client.
std::string comparable(const std::string& reply) {
  std::string result;
  bool has_no_owner = false;
  for (size_t at = 0; at < reply.size();) {
    const auto end = reply.find("\r\n", at);
    auto line = reply.substr(at, end - at);
    at = end + 2;
    if (line == "*-1")
      line = "$-1";
    if (has_no_owner) // how long an entry has waited so far
      line = ":idle";
    has_no_owner = line == "delayed" || line == "released";
    if (line[0] == ':') {
      const auto n = std::atoll(line.c_str() + 1);
      if (n >= 50'000)
        line = ":" + std::to_string((n + long_ago / 2) / long_ago) + " lags";
    } else if (line[0] == '-') {
      line = line.substr(0, line.find(' '));
    }
    result += line + "\n";
  }
  return result;
}

// Random commands on two streams, two groups and three consumers.
class command_source {
public:
  explicit command_source(uint32_t seed) : random_(seed) {
    // nop
  }

  arguments next() {
    switch (pick(19)) {
      case 0:
      case 1:
      case 2:
        return {"XADD", key(), std::to_string(++last_) + "-1", "n",
                "x",    "p",   std::to_string(last_)};
      case 3:
        return {"XREADGROUP", "GROUP",   group(), consumer(), "COUNT",
                "3",          "STREAMS", key(),   ">"};
      case 4:
        return {"XREADGROUP", "GROUP",   group(), consumer(), "COUNT",
                "2",          "STREAMS", key(),   id()};
      case 5:
        return {"XACK", key(), group(), id(), id()};
      case 6:
        return claim();
      case 7:
        return {"XPENDING", key(), group()};
      case 8:
        return {"XINFO", "GROUPS", key()};
      case 9:
        return {"XDEL", key(), id()};
      case 10:
        return {"XGROUP",  "CREATE", key(), group(), pick(2) ? "0" : "$",
                "MKSTREAM"};
      case 11:
        return rare();
      case 12:
        return {"XRANGE", key(), "(" + id(), "+", "COUNT", "5"};
      case 13:
        return {"XREVRANGE", key(), "+", id(), "COUNT", "3"};
      case 14:
        return {
          "XPENDING", key(), group(), "IDLE", std::to_string(long_ago / 2),
          "-",        "+",   "9"};
      case 16:
        return on_hash();
      case 15:
        return {"XREAD", "COUNT", "3", "STREAMS", key(), key(), id(), id()};
      default:
        return script_call();
    }
  }

private:
  uint32_t pick(uint32_t n) {
    return std::uniform_int_distribution<uint32_t>{0, n - 1}(random_);
  }

  std::string key() {
    return pick(2) ? "pulse:stream:a" : "pulse:stream:b";
  }

  std::string group() {
    return pick(2) ? "g" : "h";
  }

  std::string consumer() {
    static constexpr const char* names[] = {"c1", "c2", "released", "delayed"};
    return names[pick(4)];
  }

  std::string id() {
    const auto low = last_ > 20 ? last_ - 20 : 1;
    return std::to_string(low + static_cast<int>(pick(21))) + "-1";
  }

  arguments claim() {
    arguments result{"XCLAIM",
                     key(),
                     group(),
                     consumer(),
                     pick(2) ? "0" : std::to_string(long_ago / 2),
                     id(),
                     id()};
    if (pick(2))
      result.insert(result.end(), {"IDLE", std::to_string(long_ago)});
    if (pick(3) == 0)
      result.insert(result.end(), {"RETRYCOUNT", "7"});
    if (pick(3) == 0)
      result.emplace_back("FORCE");
    if (pick(2))
      result.emplace_back("JUSTID");
    return result;
  }

  arguments on_hash() {
    static constexpr const char* fields[] = {"f1", "f2", "f3", "f4"};
    const std::string one = fields[pick(4)];
    const std::string two = fields[pick(4)];
    switch (pick(5)) {
      case 0:
        return {"HSET", "hash", one, "1", two, "2"};
      case 1:
        return {"HDEL", "hash", one, two};
      case 2:
        return {"HMGET", "hash", one, two};
      case 3:
        return {"HGET", "hash", one};
      default:
        return {"HLEN", "hash"};
    }
  }

  arguments rare() {
    switch (pick(12)) {
      case 0:
        return {"DEL", key()};
      case 1:
        return {"XGROUP", "DESTROY", key(), group()};
      case 2:
        return {"XGROUP", "DELCONSUMER", key(), group(), consumer()};
      case 3:
        return {"XGROUP", "SETID", key(), group(), id()};
      case 4:
        return {"XTRIM", key(), "MAXLEN", pick(2) ? "~" : "=", "6"};
      case 5:
        return {"XTRIM", key(), "MINID", pick(2) ? "~" : "=", id()};
      case 6:
        return {"XLEN", key()};
      case 7:
      case 8:
        return {"ZADD", "late", "5", id()};
      case 9:
        return {"ZREMRANGEBYRANK", "late", "0", "-4"};
      case 10:
        return {"ZRANGE", "late", "0", "-1"};
      default:
        return {"SET", key(), "no stream"};
    }
  }

  arguments script_call() {
    const auto lease = std::to_string(long_ago / 2);
    const auto& which = *scripts[pick(std::size(scripts))];
    arguments result{"EVALSHA", std::string{which.sha1}, "1", key()};
    auto add = [&](arguments xs) {
      result.insert(result.end(), xs.begin(), xs.end());
      return result;
    };
    if (which.name == resp::dead_letter_script().name) {
      result[2] = "3";
      return add(
        {"dead", "record", group(), id(), "0", consumer(), "x-id", "1"});
    }
    const auto limit = std::to_string(4 + pick(20));
    if (which.name == resp::trim_script().name) {
      result[2] = "2";
      return add({"retention", limit, "0", pick(2) ? "1" : "0"});
    }
    if (which.name == resp::retention_script().name) {
      static constexpr const char* modes[] = {"check", "change", "follow"};
      result[2] = "2";
      // The dead letters are a stream, and no retention.
      return add({pick(20) ? "retention" : "dead", modes[pick(3)], "max_len",
                  "0", pick(2) ? limit : "", "protect_unacked", "1",
                  pick(2) ? "0" : "", "max_age", "0", "", "hard_max_len", "0",
                  "", "ttl", "0", ""});
    }
    const auto of = group();
    if (which.name == resp::take_over_script().name) {
      result[2] = "3";
      add({resp::delayed_key(result[3], of), resp::paused_key(result[3], of)});
    }
    if (which.name == resp::open_group_script().name) {
      result[2] = "4";
      return add(
        {resp::position_key(result[3], of), resp::delayed_key(result[3], of),
         resp::late_acks_key(result[3], of), of, pick(2) ? "$" : id()});
    }
    if (which.name == resp::audit_script().name) {
      result[2] = "3";
      add(
        {resp::position_key(result[3], of), resp::members_key(result[3], of)});
    }
    if (which.name == resp::release_script().name) {
      result[2] = "3";
      add(
        {resp::delayed_key(result[3], of), resp::position_key(result[3], of)});
    }
    if (which.name == resp::delay_script().name
        || which.name == resp::clean_consumers_script().name) {
      result[2] = "2";
      add({resp::delayed_key(result[3], of)});
    }
    if (which.name == resp::count_script().name) {
      result[2] = "2";
      add({resp::paused_key(result[3], of)});
    }
    if (which.name == resp::end_consumer_script().name) {
      result[2] = "2";
      add({resp::members_key(result[3], of)});
    }
    add({of, consumer()});
    if (which.name == resp::renew_script().name)
      return add({lease, pick(2) ? "1" : "0"});
    // Which of many entries are due first depends on the milliseconds that
    // passed between the commands. So a claim takes all of them.
    if (which.name == resp::take_over_script().name)
      return add({lease, "1000", pick(2) ? "all" : "due"});
    if (which.name == resp::delay_script().name)
      return add({lease, id(), "100001", "0", id(), "100001",
                  pick(2) ? std::to_string(long_ago) : "-1"});
    if (which.name == resp::release_script().name)
      return add({std::to_string(long_ago), pick(2) ? "all" : "listed", id(),
                  "4", pick(2) ? std::to_string(long_ago) : "-1"});
    if (which.name == resp::count_script().name)
      return add({id(), "100002", pick(2) ? std::to_string(long_ago) : "-1"});
    if (which.name == resp::audit_script().name)
      return add({id(), pick(2) ? "1" : "0", "1", id(), "60000", "1"});
    return add({lease});
  }

  std::mt19937 random_;
  int last_ = 0;
};

struct fixture {
  local_redis server = start();
  test::raw_client raw{server};
  simulation::redis_model uut{node_size};

  static local_redis start() {
    local_redis_options options;
    options.config = {"stream-node-max-entries " + std::to_string(node_size),
                      "stream-node-max-bytes 0"};
    auto result = local_redis::start(options);
    if (!result)
      CAF_FAIL("cannot start redis-server: " << to_string(result.error()));
    return std::move(*result);
  }

  // Dead letters get IDs of the time of day: alike only in their shape. The
  // trim script also says ages: alike are the counts and the name.
  static std::string comparable_part(const arguments& x,
                                     const std::string& reply) {
    if (x[0] == "EVALSHA" && x[1] == resp::dead_letter_script().sha1)
      return reply.substr(0, 1);
    auto result = comparable(reply);
    if (x[0] == "EVALSHA" && x[1] == resp::trim_script().sha1)
      result = result.substr(0, result.find(':', result.find('$') + 1));
    return result;
  }

  void compare(const arguments& x, const std::string& history) {
    const auto real = raw.resp(x);
    const auto ours = encoded(uut.run(x));
    if (comparable_part(x, real) != comparable_part(x, ours))
      CAF_FAIL("Redis says " << comparable(real) << "and the model "
                             << comparable(ours) << "after\n"
                             << history);
  }

  void run(uint32_t seed, int commands) {
    raw({"FLUSHALL"});
    uut.run({"FLUSHALL"});
    for (const auto* x : scripts)
      compare({"SCRIPT", "LOAD", std::string{x->source}}, "SCRIPT LOAD");
    command_source source{seed};
    std::vector<std::string> history;
    for (int i = 0; i < commands; ++i) {
      auto x = source.next();
      std::string line;
      for (const auto& arg : x)
        line += arg + " ";
      history.push_back(line);
      std::string last = "seed " + std::to_string(seed) + "\n";
      for (size_t n = history.size() > 40 ? history.size() - 40 : 0;
           n < history.size(); ++n)
        last += history[n] + "\n";
      compare(x, last);
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(model_vs_redis_tests, fixture)

CAF_TEST(random commands and scripts get the same replies from both) {
  std::random_device random;
  const auto* wanted = std::getenv("PULSE_SEED");
  const auto base = wanted != nullptr
                      ? static_cast<uint32_t>(std::strtoul(wanted, nullptr, 10))
                      : random();
  CAF_MESSAGE("PULSE_SEED=" << base << " repeats this");
  for (uint32_t i = 0; i < 30; ++i)
    run(base + i, 400);
}

CAF_TEST(a script that was flushed is unknown to both) {
  const arguments call{
    "EVALSHA", std::string{resp::count_script().sha1}, "2", "k", "p", "g", "c"};
  compare(call, "unknown");
  compare({"SCRIPT", "LOAD", std::string{resp::count_script().source}}, "");
  compare(call, "known");
  raw({"SCRIPT", "FLUSH"});
  uut.run({"SCRIPT", "FLUSH"});
  compare(call, "flushed");
}

CAF_TEST_FIXTURE_SCOPE_END()
