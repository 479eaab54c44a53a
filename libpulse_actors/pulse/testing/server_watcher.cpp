#include "pulse/testing/server_watcher.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>

// NOLINTNEXTLINE(readability-redundant-declaration): not in every unistd.h.
extern char** environ;

namespace pulse::internal {

namespace {

// The shell reads one command per line from the socket that is its stdin and
// stdout, and replies to each with the process ID of the server, or 0. The end
// of its input means that our process has ended. The shell must survive a
// signal to the whole process group (see also POSIX_SPAWN_SETPGROUP), and a
// reply that nobody reads.
constexpr const char* watcher_script = R"(
trap '' INT TERM HUP PIPE
directory=$1
server=$2
pid=
end() {
  [ -n "$pid" ] || return 0
  kill -s "$1" "$pid"
  kill -s CONT "$pid"
  wait "$pid"
  pid=
}
while read -r command; do
  case $command in
    start)
      end KILL
      "$server" "$directory/redis.conf" \
        </dev/null >>"$directory/redis.log" 2>&1 &
      pid=$!
      ;;
    stop) end TERM ;;
    kill) end KILL ;;
  esac
  echo "${pid:-0}"
done
end KILL
rm -rf "$directory"
)";

// Redis waits up to ten seconds for replicas before it obeys a SIGTERM.
constexpr int stop_timeout_ms = 15'000;
constexpr int answer_timeout_ms = 10'000;

failure system_failure(const std::string& what, int code) {
  return {errc::connect_failed, "cannot start a private redis-server: " + what
                                  + ": "
                                  + std::generic_category().message(code)};
}

// The shell starts with `channel` as stdin and stdout, with no other file of
// this process open (an inherited socket would outlive this process), with
// default signals, and in a process group of its own.
class spawn_setup {
public:
  explicit spawn_setup(int channel) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, channel, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, channel, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP
                                            | POSIX_SPAWN_SETSIGMASK
                                            | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (auto x : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGPIPE})
      sigaddset(&signals, x);
    posix_spawnattr_setsigdefault(&attributes, &signals);
  }

  spawn_setup(const spawn_setup&) = delete;
  spawn_setup& operator=(const spawn_setup&) = delete;

  ~spawn_setup() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

} // namespace

server_watcher::~server_watcher() {
  if (server_fd_ != -1)
    close(server_fd_);
  if (channel_ == -1)
    return;
  close(channel_);
  while (waitpid(shell_, nullptr, 0) == -1 && errno == EINTR)
    ; // nop
}

status server_watcher::spawn(const std::string& directory,
                             const std::string& server) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return system_failure("socketpair", errno);
  const spawn_setup setup{ends[1]};
  auto arg = [](const char* x) { return const_cast<char*>(x); };
  char* args[] = {arg("sh"),
                  arg("-c"),
                  arg(watcher_script),
                  arg("pulse-redis-watcher"),
                  arg(directory.c_str()),
                  arg(server.c_str()),
                  nullptr};
  const int code = posix_spawn(&shell_, "/bin/sh", &setup.files,
                               &setup.attributes, args, environ);
  close(ends[1]);
  if (code != 0) {
    close(ends[0]);
    return system_failure("/bin/sh", code);
  }
  channel_ = ends[0];
  return {};
}

outcome<pid_t> server_watcher::start_server() {
  if (!send_line("start\n"))
    return system_failure("its watcher process is gone", errno);
  server_ = read_pid(answer_timeout_ms);
  if (server_ <= 0) {
    server_ = 0;
    return system_failure("its watcher process does not answer", ETIMEDOUT);
  }
  if (server_fd_ != -1)
    close(server_fd_);
  // glibc 2.36 declares pidfd_open() without C linkage.
  server_fd_ = static_cast<int>(syscall(SYS_pidfd_open, server_, 0));
  return server_;
}

void server_watcher::stop_server() {
  if (server_ != 0 && send_line("stop\n") && read_pid(stop_timeout_ms) == -1) {
    // The shell has not reaped the server yet, so the process ID cannot be
    // reused.
    kill(server_, SIGKILL);
    read_pid(answer_timeout_ms);
  }
  server_ = 0;
}

void server_watcher::kill_server() {
  if (server_ != 0 && send_line("kill\n"))
    read_pid(answer_timeout_ms);
  server_ = 0;
}

bool server_watcher::server_died() const noexcept {
  pollfd entry{server_fd_, POLLIN, 0};
  return server_fd_ != -1 && poll(&entry, 1, 0) == 1;
}

bool server_watcher::send_line(std::string_view line) const {
  return send(channel_, line.data(), line.size(), MSG_NOSIGNAL)
         == static_cast<ssize_t>(line.size());
}

pid_t server_watcher::read_pid(int timeout_ms) const {
  std::string line;
  while (line.empty() || line.back() != '\n') {
    pollfd entry{channel_, POLLIN, 0};
    const int ready = poll(&entry, 1, timeout_ms);
    if (ready == -1 && errno == EINTR)
      continue;
    char c = '\n';
    if (ready != 1 || recv(channel_, &c, 1, 0) != 1)
      return -1;
    line += c;
  }
  pid_t result = -1;
  std::from_chars(line.data(), line.data() + line.size(), result);
  return result;
}

} // namespace pulse::internal
