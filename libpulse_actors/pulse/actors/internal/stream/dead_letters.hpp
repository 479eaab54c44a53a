#pragma once

#include "pulse/actors/internal/runtime/commands.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/stream/trimmer.hpp"
#include "pulse/core/dead_letter.hpp"

#include <caf/response_promise.hpp>

#include <functional>
#include <list>
#include <string>
#include <vector>

namespace pulse::internal {

/// Lists, redrives and purges the dead letters of a stream's sinks, for the
/// stream actor. A redrive runs in steps of 0.1 s, so that it keeps its rate
/// and other requests need not wait for it.
class stream_dead_letters {
public:
  using time_point = stream_trimmer::time_point;

  /// All references must outlive the object. `changed` is called when the
  /// result of next_tick() may have changed.
  stream_dead_letters(stream_self::pointer self, const stream_options& options,
                      const connection_actor& redis, const environment& env,
                      std::function<void()> changed);

  ~stream_dead_letters();

  stream_dead_letters(const stream_dead_letters&) = delete;
  stream_dead_letters& operator=(const stream_dead_letters&) = delete;

  caf::result<std::vector<dead_letter>> list(const dead_query& x);
  caf::result<redrive_result> redrive(const redrive_request& x);
  caf::result<uint64_t> purge(const purge_request& x);

  /// Begins the steps of redrives that are due.
  void tick(time_point now);

  /// @returns when tick() has to be called; `time_point::max()`: never.
  [[nodiscard]] time_point next_tick() const noexcept;

private:
  // A redrive that is under way.
  struct job {
    redrive_request request;
    caf::response_promise promise;
    redrive_result so_far;
    // The position of the next letter: in the list of the request, or in the
    // dead letter stream.
    size_t next = 0;
    std::string from = "-";
    std::string to;
    time_point due;
    bool step_under_way = false;
  };
  using job_ptr = std::list<job>::iterator;

  [[nodiscard]] status check(const std::string& sink, size_t letters) const;
  [[nodiscard]] failure about(const std::string& sink,
                              const failure& why) const;
  [[nodiscard]] std::string key_of(const std::string& sink) const;
  void find_end(job_ptr x);
  void step(job_ptr x);
  [[nodiscard]] size_t step_size(const job& x) const;
  void stepped(job_ptr x, size_t asked, const resp::reply& reply);
  void finish(job_ptr x);
  void fail(job_ptr x, const failure& why);

  template <class Then>
  void run(job_ptr x, command_ptr commands, Then then);

  /// Runs a command whose reply is the result of a request: `read` decodes it.
  template <class Read>
  caf::response_promise
  ask(const std::string& sink, command_ptr commands, Read read);

  stream_self::pointer self_;
  const stream_options& options_;
  const connection_actor& redis_;
  const environment& env_;
  std::function<void()> changed_;
  std::list<job> jobs_;
  // Requests that are under way, without redrives.
  std::list<caf::response_promise> open_;
};

} // namespace pulse::internal
