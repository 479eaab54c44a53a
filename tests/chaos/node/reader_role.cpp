#include <caf/event_based_actor.hpp>

#include "chaos/node/labels.hpp"
#include "chaos/node/role.hpp"

namespace pulse::chaos {

namespace {

class reader_role : public role {
public:
  explicit reader_role(role_context ctx) : ctx_(ctx) {
    const bool oldest = ctx_.args.text("start") == "oldest";
    options_.streams = {stream_name};
    options_.start = oldest ? start_position::oldest()
                            : start_position::newest();
    ctx_.log.write(oldest ? "role reader oldest" : "role reader newest");
  }

  bool open() override {
    auto reader = ctx_.pulse.reader(options_);
    if (!reader)
      return false;
    witness_ = ctx_.sys.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {
        [this](const event& x) {
          ctx_.log.write("v " + label_of(x.payload()) + " "
                         + to_string(x.id()));
        },
      };
    });
    if (reader->subscribe(witness_))
      return true;
    caf::anon_send_exit(witness_, caf::exit_reason::user_shutdown);
    static_cast<void>(reader->close());
    return false;
  }

  bool finish() override {
    return true;
  }

  ~reader_role() override {
    caf::anon_send_exit(witness_, caf::exit_reason::user_shutdown);
  }

private:
  role_context ctx_;
  reader_options options_;
  caf::actor witness_;
};

} // namespace

std::unique_ptr<role> make_reader(role_context ctx) {
  return std::make_unique<reader_role>(ctx);
}

} // namespace pulse::chaos
