#include "pulse/actors/errors.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include "chaos/node/labels.hpp"
#include "chaos/node/role.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace pulse::chaos {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto tick = 10ms;
// Every add has an answer, or an error, when the deadline of its command is
// over.
constexpr auto answer_deadline = 60s;

// Returns whether Redis may have stored the event in spite of the error.
bool is_outcome_unknown(errc code) {
  switch (code) {
    case errc::connection_lost:
    case errc::timed_out:
    case errc::closed:
    case errc::protocol_error:
    case errc::internal:
      return true;
    default:
      return false;
  }
}

struct plan {
  std::string name;
  uint64_t rate = 100; // a second
  uint64_t keys = 64;
  uint64_t large = 0; // one event in this many is large; 0: none
  uint64_t most = 0;  // 0: no end
  uint64_t most_open = 2'000;
};

// Returns how many bytes the payload of an event has at least.
size_t size_of(uint64_t n, uint64_t one_in) {
  constexpr std::array<size_t, 4> sizes{64 << 10, 512 << 10, 2 << 20, 8 << 20};
  if (one_in == 0 || n % one_in != one_in / 2)
    return 0;
  return sizes[n / one_in % sizes.size()];
}

struct producing {
  uint64_t sent = 0;
  uint64_t open = 0;
  bool stopped = false;
  clock::time_point since = clock::now();
  uint64_t at_since = 0;
  caf::response_promise answer;
};

caf::behavior produce(caf::event_based_actor* self, const stream_actor& stream,
                      const plan& how, journal* log) {
  auto state = std::make_shared<producing>();
  auto answered = [state] {
    if (--state->open == 0 && state->stopped && state->answer.pending())
      state->answer.deliver(caf::unit);
  };
  auto add = [=] {
    const auto n = state->sent++;
    const auto number = std::to_string(n);
    ++state->open;
    log->write("i " + number);
    new_event x{"chaos",
                payload_of(how.name + ":" + number, size_of(n, how.large)),
                "k" + std::to_string(n % how.keys)};
    self->request(stream, caf::infinite, caf::add_atom_v, std::move(x))
      .then(
        [=](event_id id) {
          log->write("o " + number + " " + to_string(id));
          answered();
        },
        [=](const caf::error& err) {
          const auto code = to_failure(err).code;
          log->write((is_outcome_unknown(code) ? "u " : "f ") + number + " "
                     + to_string(code));
          answered();
        });
  };
  self->delayed_send(self, tick, caf::tick_atom_v);
  return {
    [=](caf::tick_atom) {
      if (state->stopped)
        return;
      const std::chrono::duration<double> time = clock::now() - state->since;
      const auto due
        = state->at_since
          + static_cast<uint64_t>(time.count() * static_cast<double>(how.rate));
      const auto end = how.most > 0 ? std::min(due, how.most) : due;
      while (state->sent < end && state->open < how.most_open)
        add();
      // An add that could not be sent in time is skipped.
      if (state->open >= how.most_open) {
        state->since = clock::now();
        state->at_since = state->sent;
      }
      self->delayed_send(self, tick, caf::tick_atom_v);
    },
    [=](caf::close_atom) -> caf::result<void> {
      state->stopped = true;
      if (state->open == 0)
        return caf::unit;
      state->answer = self->make_response_promise();
      return state->answer;
    },
  };
}

class producer_role : public role {
public:
  explicit producer_role(role_context ctx) : ctx_(ctx) {
    ctx_.log.write("role producer");
  }

  bool open() override {
    stream_options how;
    how.name = stream_name;
    how.max_len = 0; // the checker needs the whole stream
    auto stream = ctx_.pulse.stream(how);
    if (!stream)
      return false;
    plan what;
    what.name = ctx_.args.text("name");
    what.rate = ctx_.args.number("rate");
    what.keys = std::max<uint64_t>(ctx_.args.number("keys"), 1);
    what.large = ctx_.args.number("large");
    what.most = ctx_.args.number("events");
    producer_ = ctx_.sys.spawn(produce, stream->handle(), what, &ctx_.log);
    return true;
  }

  bool finish() override {
    caf::scoped_actor self{ctx_.sys};
    bool ok = false;
    self->request(producer_, answer_deadline, caf::close_atom_v)
      .receive([&] { ok = true; }, [](const caf::error&) {});
    self->send_exit(producer_, caf::exit_reason::user_shutdown);
    return ok;
  }

private:
  role_context ctx_;
  caf::actor producer_;
};

} // namespace

std::unique_ptr<role> make_producer(role_context ctx) {
  return std::make_unique<producer_role>(ctx);
}

} // namespace pulse::chaos
