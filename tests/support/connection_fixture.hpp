#pragma once

#include "pulse/actors/config.hpp"
#include "pulse/actors/errors.hpp"
#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/core/log.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/reply.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// One command.
template <class... Ts>
command_ptr command(const Ts&... xs) {
  auto result = std::make_shared<command_batch>();
  resp::write_command(result->bytes, xs...);
  result->count = 1;
  return result;
}

/// @returns a copy of `x` to which `change` was applied.
template <class F>
command_ptr changed(const command_ptr& x, F change) {
  auto result = std::make_shared<command_batch>(*x);
  change(*result);
  return result;
}

inline command_ptr within(milliseconds timeout, const command_ptr& x) {
  return changed(x, [&](auto& y) { y.timeout = timeout; });
}

inline command_ptr repeatable(const command_ptr& x) {
  return changed(x, [](auto& y) { y.repeatable = true; });
}

/// A reply as flat text, elements separated by blanks.
inline std::string flat(const resp::reply& x) {
  std::string result;
  for (auto& node : x.nodes) {
    if (node.type == resp::node_type::array)
      continue;
    if (!result.empty())
      result += ' ';
    if (node.type == resp::node_type::integer)
      result += std::to_string(node.value);
    else if (node.type == resp::node_type::nil)
      result += "nil";
    else
      result += x.text(node);
  }
  return result;
}

/// Measures real time.
struct stopwatch {
  std::chrono::steady_clock::time_point start
    = std::chrono::steady_clock::now();

  [[nodiscard]] milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(
      std::chrono::steady_clock::now() - start);
  }
};

/// An actor system with connections, which are closed at the end of the test.
struct connection_fixture {
  config cfg;
  std::mutex log_mutex;
  std::string log_text;
  caf::actor_system sys{cfg};
  caf::scoped_actor self{sys};
  internal::io_host_ptr host = start_host();
  std::vector<connection_actor> opened;

  connection_fixture() {
    set_log_function([this](log_level, std::string_view line) {
      std::lock_guard<std::mutex> guard{log_mutex};
      log_text.append(line).append("\n");
    });
  }

  ~connection_fixture() {
    for (auto& x : opened)
      self->send(x, caf::close_atom_v);
    set_log_function({});
  }

  internal::io_host_ptr start_host() {
    auto result = internal::io_host::start(sys, std::chrono::microseconds{0});
    if (!result)
      CAF_FAIL(describe(result.error()));
    return *result;
  }

  std::string logged() {
    std::lock_guard<std::mutex> guard{log_mutex};
    return log_text;
  }

  connection_actor open(const redis_options& options,
                        connection_role role = {}) {
    if (!role.host)
      role.host = host;
    auto result = spawn_connection(sys, options, std::move(role));
    if (!result)
      CAF_FAIL(describe(result.error()));
    opened.push_back(*result);
    return *result;
  }

  connection_actor open(const std::string& url) {
    redis_options options;
    options.url = url;
    return open(options);
  }

  /// Sends a command and does not wait for the reply.
  auto start(const connection_actor& to, command_ptr what) {
    return self->request(to, std::chrono::seconds{30}, atom::run_v,
                         std::move(what));
  }

  /// @returns the flat reply, or the failure as text of describe().
  template <class Handle>
  std::string result_of(Handle handle) {
    std::string result;
    handle.receive([&](const reply_ptr& x) { result = flat(*x); },
                   [&](const caf::error& x) { result = describe(x); });
    return result;
  }

  std::string run(const connection_actor& to, command_ptr what) {
    return result_of(start(to, std::move(what)));
  }

  connection_info info(const connection_actor& of) {
    connection_info result;
    self->request(of, std::chrono::seconds{10}, atom::info_v)
      .receive([&](const connection_info& x) { result = x; },
               [&](const caf::error& x) { CAF_FAIL(describe(x)); });
    return result;
  }

  static local_redis start_redis(const local_redis_options& options = {}) {
    auto result = local_redis::start(options);
    if (!result)
      CAF_FAIL(result.error().what);
    return std::move(*result);
  }
};

inline bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos)
    return true;
  CAF_MESSAGE("\"" << part << "\" is not in: " << text);
  return false;
}

} // namespace pulse::test
