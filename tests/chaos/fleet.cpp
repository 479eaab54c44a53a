#include "chaos/fleet.hpp"

#include "common/process/spawn.hpp"
#include "common/process/unique_fd.hpp"
#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace pulse::chaos {

namespace {

using namespace std::chrono_literals;

// Longer than any drain_timeout and any command's deadline.
constexpr auto stop_deadline = 90s;

std::string described(int status) {
  return WIFSIGNALED(status)
           ? "died of signal " + std::to_string(WTERMSIG(status))
           : "ended with status " + std::to_string(WEXITSTATUS(status));
}

std::string arg(const std::string& name, uint64_t value) {
  return name + "=" + std::to_string(value);
}

} // namespace

fleet::fleet(const run_options& how, std::string directory)
  : how_(how), directory_(std::move(directory)) {
  for (size_t i = 0; i < how.audit; ++i)
    add("audit", i, sink_args("audit", "balanced"), {true, i == 0});
  for (size_t i = 0; i < how.billing; ++i)
    add("billing", i, sink_args("billing", "keyed"), {true, i == 0});
  for (size_t i = 0; i < how.readers; ++i)
    add("reader", i, {"role=reader", i == 0 ? "start=oldest" : "start=newest"},
        {false, i == 0});
  for (size_t i = 0; i < how.producers; ++i)
    add("producer", i,
        {"role=producer", arg("rate", how.rate / how.producers),
         arg("events", how.events / how.producers), arg("keys", how.keys)},
        {false, i == 0});
}

fleet::~fleet() {
  for (size_t i = 0; i < slots_.size(); ++i)
    kill(i);
}

void fleet::add(const std::string& group, size_t index,
                std::vector<std::string> args, slot_facts facts) {
  slots_.push_back(
    {group + "-" + std::to_string(index), std::move(args), facts, 0, 0});
}

std::vector<std::string> fleet::sink_args(const std::string& name,
                                          const std::string& dispatch) const {
  // So often as the name says, at this rate: one event in that many.
  auto every = [this](double seconds) {
    const auto n
      = static_cast<uint64_t>(static_cast<double>(how_.rate) * seconds);
    return how_.misdeeds ? std::max<uint64_t>(n, 2) : uint64_t{0};
  };
  auto ms = [](int64_t x) { return static_cast<uint64_t>(x); };
  return {"role=sink",
          "sink=" + name,
          "dispatch=" + dispatch,
          arg("seed", how_.seed),
          arg("workers", how_.workers),
          arg("lease", ms(how_.lease_ms)),
          arg("ack_wait", ms(how_.ack_wait_ms)),
          arg("sweep", ms(how_.sweep_ms)),
          arg("work_us", ms(how_.work_us)),
          arg("crash", every(1)),
          arg("nack", every(0.5)),
          arg("slow", every(4)),
          arg("hang", every(8)),
          arg("poison", every(15)),
          arg("reject", every(10))};
}

std::string fleet::journal_of(const slot& x) const {
  return directory_ + "/" + x.name + "." + std::to_string(x.incarnation)
         + ".journal";
}

bool fleet::start(size_t index, const proxy& links) {
  auto& x = slots_[index];
  ++x.incarnation;
  const auto name = x.name + "." + std::to_string(x.incarnation);
  const auto log = directory_ + "/" + name + ".log";
  const apps::unique_fd out{
    ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  const apps::unique_fd in{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  std::vector<std::string> argv{how_.node, "name=" + name,
                                "journal=" + journal_of(x),
                                "url=" + links.url(index)};
  argv.insert(argv.end(), x.args.begin(), x.args.end());
  const int error
    = apps::spawn_program(argv, {}, {in.get(), out.get(), out.get()}, x.pid);
  if (error == 0)
    return true;
  x.pid = 0;
  bad_ends_.push_back(x.name + " could not be started: errno "
                      + std::to_string(error));
  return false;
}

void fleet::signal(size_t index, int number) const {
  if (slots_[index].pid != 0)
    ::kill(slots_[index].pid, number);
}

void fleet::kill(size_t index) {
  auto& x = slots_[index];
  if (x.pid == 0)
    return;
  ::kill(x.pid, SIGKILL);
  ::waitpid(x.pid, nullptr, 0);
  x.pid = 0;
}

void fleet::look_after(const proxy& links) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    auto& x = slots_[i];
    int status = 0;
    if (x.pid == 0 || ::waitpid(x.pid, &status, WNOHANG) != x.pid)
      continue;
    x.pid = 0;
    bad_ends_.push_back(x.name + "." + std::to_string(x.incarnation)
                        + " by itself " + described(status));
    start(i, links);
  }
}

void fleet::stop(const std::string& prefix) {
  auto is_one = [&](const slot& x) {
    return x.pid != 0 && x.name.compare(0, prefix.size(), prefix) == 0;
  };
  for (auto& x : slots_)
    if (is_one(x))
      ::kill(x.pid, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + stop_deadline;
  for (size_t i = 0; i < slots_.size(); ++i) {
    auto& x = slots_[i];
    int status = 0;
    while (is_one(x)) {
      if (::waitpid(x.pid, &status, WNOHANG) == x.pid) {
        x.pid = 0;
        if (status != 0)
          bad_ends_.push_back(x.name + " " + described(status)
                              + " when told to end");
      } else if (std::chrono::steady_clock::now() > deadline) {
        bad_ends_.push_back(x.name + " did not end when told to");
        kill(i);
      } else {
        std::this_thread::sleep_for(5ms);
      }
    }
  }
}

} // namespace pulse::chaos
