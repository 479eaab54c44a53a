// A user's program, with a CAF configuration and message types of its own: adds
// an event to a private Redis through the installed library, and reads it back.

#include <caf/all.hpp>

#include <pulse/all.hpp>
#include <pulse/testing/local_redis.hpp>
#if CAF_MAJOR_VERSION >= 1
#  include <pulse/flow.hpp>
#endif

#include <iostream>

namespace shop {

// With CAF 0.17.6 it is announced by name, without a type ID: CAF allows it.
struct order {
  std::string item;
};

} // namespace shop

#if CAF_MAJOR_VERSION >= 1
CAF_BEGIN_TYPE_ID_BLOCK(shop, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(shop, (shop::order))
CAF_END_TYPE_ID_BLOCK(shop)
#endif

namespace shop {

template <class Inspector>
pulse::inspected<Inspector> inspect(Inspector& f, order& x) {
  return pulse::fields(f, x, "order", pulse::field("item", x.item));
}

struct config : caf::actor_system_config {
  config() {
#if CAF_MAJOR_VERSION < 1
    add_message_type<order>("shop::order");
    pulse::add_pulse(*this);
#else
    pulse::add_pulse(*this);
    caf::init_global_meta_objects<caf::id_block::shop>();
#endif
  }
};

caf::behavior counter() {
  return {
    [](const order& x) { return x.item.size(); },
  };
}

} // namespace shop

int main() {
  auto redis = pulse::local_redis::start();
  if (!redis) {
    std::cerr << to_string(redis.error()) << '\n';
    return 1;
  }
  shop::config cfg;
  caf::actor_system sys{cfg};
  size_t letters = 0;
  caf::scoped_actor self{sys};
  self->request(sys.spawn(shop::counter), caf::infinite, shop::order{"tea"})
    .receive([&](size_t x) { letters = x; }, [](caf::error&) {});
  if (letters != 3) {
    std::cerr << "an own message was not answered\n";
    return 1;
  }
  auto pulse = pulse::system::connect(sys, redis->url());
  if (!pulse) {
    std::cerr << pulse::describe(pulse.error()) << '\n';
    return 1;
  }
  auto stream = pulse->stream("orders");
  auto id = stream->add("order_placed", "tea");
  auto events = stream->range();
  if (!id || !events || events->size() != 1) {
    std::cerr << "the event was not stored\n";
    return 1;
  }
  std::cout << to_string(events->front()) << '\n';
}
