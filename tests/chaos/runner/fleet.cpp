#include "chaos/runner/fleet.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

namespace pulse::chaos {

namespace {

using namespace std::chrono_literals;
using clock = node_process::clock;

// These times are long: they only end waits that would never end otherwise.
constexpr auto ready_deadline = 60s;
constexpr auto open_deadline = 120s;

// Longer than any drain_timeout and any deadline of a command.
constexpr auto stop_deadline = 90s;

std::string described(int status) {
  return WIFSIGNALED(status)
           ? "died of signal " + std::to_string(WTERMSIG(status))
           : "ended with status " + std::to_string(WEXITSTATUS(status));
}

// Returns in how many events one is the victim of a misdeed.
uint64_t one_in(misdeed what, uint64_t rate) {
  // The time from one to the next, in which `rate` events a second come.
  auto every = [=](double seconds) {
    const auto n = static_cast<uint64_t>(static_cast<double>(rate) * seconds);
    return std::max<uint64_t>(n, 2);
  };
  switch (what) {
    case misdeed::backlog:
      return 100;
    case misdeed::nack:
      return every(0.5);
    case misdeed::crash:
    case misdeed::quit:
    case misdeed::retire:
      return every(1);
    case misdeed::slow:
      return every(4);
    case misdeed::hang:
      return every(8);
    case misdeed::reject:
      return every(10);
    case misdeed::poison:
      return every(15);
    default:
      return 0;
  }
}

std::string arg(const std::string& name, uint64_t value) {
  return name + "=" + std::to_string(value);
}

} // namespace

fleet::fleet(const run_options& how, std::string directory)
  : how_(how), directory_(std::move(directory)) {
  for (size_t i = 0; i < how.audit; ++i)
    add("audit", i, sink_args("audit", "balanced", i), {true, i == 0});
  for (size_t i = 0; i < how.billing; ++i)
    add("billing", i, sink_args("billing", "keyed", i), {true, i == 0});
  for (size_t i = 0; i < how.readers; ++i)
    add("reader", i, {"role=reader", i == 0 ? "start=oldest" : "start=newest"},
        {false, i == 0});
  for (size_t i = 0; i < how.producers; ++i)
    add("producer", i,
        {"role=producer", arg("rate", how.rate / how.producers),
         arg("events", how.events / how.producers), arg("keys", how.keys),
         arg("large", how.large)},
        {false, i == 0});
}

void fleet::add(const std::string& group, size_t index,
                std::vector<std::string> args, slot_facts facts) {
  slots_.push_back({group + "-" + std::to_string(index),
                    std::move(args),
                    facts,
                    0,
                    {},
                    false});
}

std::vector<std::string> fleet::sink_args(const std::string& name,
                                          const std::string& dispatch,
                                          size_t index) const {
  const bool longer = how_.mixed_leases && index % 2 == 1;
  const auto lease = how_.lease_ms * (longer ? 3 : 1);
  auto ms = [](int64_t x) { return static_cast<uint64_t>(x); };
  std::vector<std::string> result{"role=sink",
                                  "sink=" + name,
                                  "dispatch=" + dispatch,
                                  arg("seed", how_.seed),
                                  arg("workers", how_.workers),
                                  arg("lease", ms(lease)),
                                  arg("slow_ms", ms(how_.lease_ms * 5 / 4)),
                                  arg("ack_wait", ms(how_.ack_wait_ms)),
                                  arg("sweep", ms(how_.sweep_ms)),
                                  arg("work_us", ms(how_.work_us))};
  // With long pauses, failures of a keyed sink would stop all of its topics.
  if (dispatch != "keyed"
      && std::count(how_.misdeeds.begin(), how_.misdeeds.end(),
                    misdeed::backlog)
           > 0)
    result.emplace_back("backoff=default");
  for (auto x : how_.misdeeds)
    result.push_back(arg(to_string(x), one_in(x, how_.rate)));
  return result;
}

std::string fleet::journal_of(const slot& x) const {
  return directory_ + "/" + x.name + "." + std::to_string(x.incarnation)
         + ".journal";
}

bool fleet::start(size_t index, const proxy& links) {
  auto& x = slots_[index];
  ++x.incarnation;
  x.must_reopen = false;
  const auto name = x.name + "." + std::to_string(x.incarnation);
  std::vector<std::string> argv{how_.node, "name=" + name,
                                "journal=" + journal_of(x),
                                "url=" + links.url(index)};
  argv.insert(argv.end(), x.args.begin(), x.args.end());
  const int error = x.process.start(argv, directory_ + "/" + name + ".log");
  if (error != 0)
    bad_ends_.push_back(x.name + " could not be started: errno "
                        + std::to_string(error));
  return error == 0;
}

bool fleet::wait_until_open() {
  const auto deadline = clock::now() + open_deadline;
  for (auto& x : slots_) {
    while (!x.process.is_open()) {
      const auto status = x.process.take_end();
      if (status || clock::now() > deadline) {
        std::printf("%s %s before it was open; see %s/%s.%d.log\n",
                    x.name.c_str(),
                    status ? described(*status).c_str() : "took too long",
                    directory_.c_str(), x.name.c_str(), x.incarnation);
        return false;
      }
      std::this_thread::sleep_for(5ms);
    }
  }
  return true;
}

void fleet::pause(size_t index) const {
  slots_[index].process.signal(SIGSTOP);
}

void fleet::resume(size_t index) const {
  slots_[index].process.signal(SIGCONT);
}

void fleet::reopen(size_t index) {
  slots_[index].must_reopen = true;
}

void fleet::starve(size_t index, int64_t ms) {
  auto& x = slots_[index].process;
  if (x.pid() == 0 || !x.is_open())
    return;
  sigval value{};
  value.sival_int = static_cast<int>(ms);
  ::sigqueue(x.pid(), SIGUSR2, value);
}

void fleet::kill(size_t index) {
  slots_[index].process.kill();
}

void fleet::look_after(const proxy& links) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    auto& x = slots_[i];
    if (x.process.pid() == 0)
      continue;
    const auto note = [&](const std::string& what) {
      bad_ends_.push_back(x.name + "." + std::to_string(x.incarnation) + what);
    };
    if (auto status = x.process.take_end()) {
      note(" by itself " + described(*status));
      start(i, links);
    } else if (!x.process.is_ready()
               && clock::now() > x.process.started() + ready_deadline) {
      note(" did not say that it is ready");
      kill(i);
      start(i, links);
    } else if (x.must_reopen && x.process.is_open()) {
      x.must_reopen = false;
      x.process.signal(SIGUSR1);
    }
  }
}

void fleet::stop(const std::string& prefix) {
  const auto deadline = clock::now() + stop_deadline;
  std::vector<slot*> asked;
  for (auto& x : slots_)
    if (x.process.pid() != 0 && x.name.compare(0, prefix.size(), prefix) == 0)
      asked.push_back(&x);
  for (auto* x : asked) {
    while (!x->process.is_ready() && clock::now() < deadline)
      std::this_thread::sleep_for(5ms);
    x->process.signal(SIGTERM);
  }
  for (auto* x : asked)
    wait_for_end(*x, deadline);
}

void fleet::wait_for_end(slot& x, clock::time_point deadline) {
  while (clock::now() < deadline) {
    if (const auto status = x.process.take_end()) {
      if (*status != 0)
        bad_ends_.push_back(x.name + " " + described(*status)
                            + " when told to end");
      return;
    }
    std::this_thread::sleep_for(5ms);
  }
  bad_ends_.push_back(x.name + " did not end when told to");
  x.process.kill();
}

} // namespace pulse::chaos
