#pragma once

#include "pulse/actors/internal/hub/source.hpp"

#include "support/actor_fixture.hpp"
#include "support/fake_connection.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace pulse::test {

/// A hub for readers, with fake connections.
struct hub_fixture : actor_fixture {
  fake_connection redis{sys};
  /// The connection of the tail reads, and how often it was opened.
  fake_connection blocking{sys};
  size_t opened = 0;
  internal::hub_source_ptr hubs = std::make_shared<internal::hub_source>(
    sys, connection_source{redis.handle(), [this](const std::string&) {
                             ++opened;
                             return blocking.handle();
                           }});
};

} // namespace pulse::test
