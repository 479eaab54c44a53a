#include "chaos/runner/run.hpp"

#include "pulse/core/names.hpp"

#include "chaos/node/journal.hpp"
#include "chaos/node/protocol.hpp"
#include "chaos/runner/nemesis.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

namespace pulse::chaos {

namespace {

using namespace std::chrono_literals;

volatile std::sig_atomic_t interrupted = 0;

local_redis_options redis_options_of(const run_options& how) {
  local_redis_options result;
  result.append_only = true;
  result.start_timeout = 300s;
  // Redis reads the whole append-only file when it starts, which takes tens of
  // microseconds for each delivery. With a long file each restart would be an
  // outage of a minute.
  result.config.emplace_back("auto-aof-rewrite-min-size 8mb");
  if (how.fsync_always)
    result.config.emplace_back("appendfsync always");
  return result;
}

class runner {
public:
  runner(const run_options& how, const std::string& directory,
         local_redis& server, shifted_clock& clock)
    : how_(how),
      directory_(directory),
      nodes_(how, directory),
      links_(server.socket_path(), nodes_.slots().size()),
      admin_(server.socket_path()),
      trouble_(directory, server, clock, nodes_, links_),
      samples_(directory + "/samples"),
      key_(stream_key(stream_name)) {
    // nop
  }

  bool play() {
    write_settings();
    for (size_t i = 0; i < nodes_.slots().size(); ++i)
      if (!nodes_.start(i, links_))
        return false;
    if (!nodes_.wait_until_open() || !torment() || !trouble_.heal_all())
      return false;
    nodes_.stop("producer");
    const bool drained = drain();
    nodes_.stop("");
    return interrupted == 0 && write_final(drained);
  }

private:
  void write_settings() const {
    std::ofstream out{directory_ + "/settings"};
    out << "seed " << how_.seed << "\nlease_us " << how_.lease_ms * 1'000
        << "\nack_wait_us " << how_.ack_wait_ms * 1'000 << "\nsweep_us "
        << how_.sweep_ms * 1'000 << "\nkeys " << how_.keys << "\nfsync "
        << (how_.fsync_always ? "always" : "everysec") << "\njudge_times "
        << (how_.judge_times ? 1 : 0) << "\nmemory_slack_kb "
        << how_.memory_slack_kb << '\n';
  }

  // -- the time with faults ---------------------------------------------------

  bool torment() {
    plan_options options;
    options.seed = how_.seed;
    options.duration_ms = how_.duration_ms;
    options.lease_ms = how_.lease_ms;
    options.shortest_pause_ms = how_.shortest_pause_ms;
    options.longest_pause_ms = how_.longest_pause_ms;
    options.outage_ms = how_.outage_ms;
    options.kinds = how_.kinds;
    for (const auto& x : nodes_.slots())
      options.slots.push_back(x.facts);
    const auto plan = make_plan(options);
    auto next = plan.begin();
    begin_ = now_us();
    while (now_us() < begin_ + how_.duration_ms * 1'000) {
      while (next != plan.end() && begin_ + next->at_ms * 1'000 <= now_us())
        trouble_.begin(*next++);
      if (!tick())
        return false;
    }
    return true;
  }

  bool tick() {
    std::this_thread::sleep_for(5ms);
    nodes_.look_after(links_);
    const auto now = now_us();
    if (now >= next_look_) {
      next_look_ = now + 1'000'000;
      sample();
      progress();
    }
    return trouble_.heal_due(now) && interrupted == 0;
  }

  void sample() {
    for (const auto& x : nodes_.slots())
      if (x.process.pid() != 0 && x.facts.veteran)
        samples_ << now_us() << ' ' << x.name << ' ' << rss_kb(x.process.pid())
                 << std::endl;
  }

  void progress() {
    std::string groups;
    for (const auto& x : admin_.groups(key_))
      groups += "  " + x.name + " " + std::to_string(x.pending) + "+"
                + (x.lag >= 0 ? std::to_string(x.lag) : "?");
    const auto stored = admin_.number({"XLEN", key_});
    const auto now = trouble_.under_way();
    std::printf("%6.1f s  stored %s%s  faults %llu%s%s\n",
                static_cast<double>(now_us() - begin_) / 1e6,
                stored >= 0 ? std::to_string(stored).c_str() : "?",
                groups.c_str(),
                static_cast<unsigned long long>(trouble_.count()),
                now.empty() ? "" : "  now: ", now.c_str());
    std::fflush(stdout);
  }

  // -- the time after ---------------------------------------------------------

  // Waits until all events are delivered and the consumers of dead nodes are
  // deleted.
  bool drain() {
    std::printf("healed; waiting until everything is delivered\n");
    const auto deadline = now_us() + how_.drain_ms * 1'000;
    while (!(groups_idle() && reader_is_through())) {
      if (!tick() || now_us() > deadline)
        return false;
    }
    return true;
  }

  bool groups_idle() {
    const auto groups = admin_.groups(key_);
    auto idle = [this](const redis_admin::group& x) {
      const auto live = x.name == "audit" ? how_.audit : how_.billing;
      return x.pending == 0 && x.consumers == static_cast<int64_t>(live)
             && admin_.is_through(key_, x);
    };
    const size_t sinks = (how_.audit > 0 ? 1 : 0) + (how_.billing > 0 ? 1 : 0);
    return groups.size() == sinks
           && std::all_of(groups.begin(), groups.end(), idle);
  }

  // The journal of a reader ends with the last event.
  bool reader_is_through() {
    const auto& slots = nodes_.slots();
    const auto reader
      = std::find_if(slots.begin(), slots.end(),
                     [](const fleet::slot& x) { return x.name == "reader-0"; });
    if (reader == slots.end())
      return true;
    std::string last;
    const auto reply = admin_({"XREVRANGE", key_, "+", "-", "COUNT", "1"});
    if (!reply)
      return false;
    last = redis_admin::first_id(*reply);
    std::ifstream in{nodes_.journal_of(*reader)};
    in.seekg(0, std::ios::end);
    const auto size = static_cast<std::streamoff>(in.tellg());
    in.seekg(std::max<std::streamoff>(size - 200, 0));
    const std::string tail{std::istreambuf_iterator<char>{in}, {}};
    return last.empty() || tail.find(" " + last + "\n") != std::string::npos;
  }

  bool write_final(bool drained) {
    std::ofstream out{directory_ + "/final"};
    auto entry = [&](const std::string& id, const std::string& payload) {
      out << "entry " << id << ' ' << payload << '\n';
    };
    bool ok = admin_.scan(key_, entry);
    for (const auto& x : admin_.groups(key_)) {
      out << "group " << x.name << ' ' << x.pending << ' '
          << (admin_.is_through(key_, x) ? "through" : "behind");
      for (const auto& name : admin_.consumers(key_, x.name))
        out << ' ' << name;
      out << '\n';
      auto dead = [&](const std::string&, const std::string& payload) {
        out << "dead " << x.name << ' ' << payload << '\n';
      };
      ok = ok
           && admin_.scan(stream_key(dead_letter_stream(stream_name, x.name)),
                          dead);
    }
    for (const auto& x : nodes_.bad_ends())
      out << "bad " << x << '\n';
    if (!drained)
      out << "bad run not everything was delivered " << how_.drain_ms / 1'000
          << " s after the last fault\n";
    for (const auto& x : trouble_.outages())
      out << x << '\n';
    if (!ok)
      std::printf("Redis went away before its state was read\n");
    return ok;
  }

  const run_options& how_;
  const std::string& directory_;
  fleet nodes_;
  proxy links_;
  redis_admin admin_;
  nemesis trouble_;
  std::ofstream samples_;
  std::string key_;
  int64_t begin_ = 0;
  int64_t next_look_ = 0;
};

} // namespace

bool run(const run_options& how, const std::string& directory) {
  for (int x : {SIGINT, SIGTERM})
    std::signal(x, [](int) { interrupted = 1; });
  shifted_clock clock{directory};
  auto server = local_redis::start(redis_options_of(how));
  shifted_clock::release();
  if (!server) {
    std::printf("%s\n", to_string(server.error()).c_str());
    return false;
  }
  return runner{how, directory, *server, clock}.play();
}

} // namespace pulse::chaos
