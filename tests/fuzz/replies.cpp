// Typed replies: whatever a peer says, readers of replies neither crash nor
// make events that reach outside of their bytes.

#include "pulse/core/event.hpp"
#include "pulse/redis/handshake.hpp"
#include "pulse/resp/add_batch.hpp"
#include "pulse/resp/dead_letter_scripts.hpp"
#include "pulse/resp/decoder.hpp"
#include "pulse/resp/share_reply.hpp"
#include "pulse/resp/stream_replies.hpp"

#include "check.hpp"

#include <cstdint>

using namespace pulse;
using namespace pulse::resp;

namespace {

void check_failure(const failure& x) {
  fuzz::check(x.code != errc::none && !x.what.empty(),
              "a failure has a code and a text");
}

template <class T>
void check_outcome(const outcome<T>& x) {
  if (!x)
    check_failure(x.error());
}

void check_page(const outcome<event_page>& page) {
  if (!page)
    return check_failure(page.error());
  for (uint32_t i = 0; i < page->block->extents.size(); ++i) {
    const event x{page->block, i};
    for (auto part : {x.stream(), x.name(), x.topic(), x.payload()})
      fuzz::touch(part);
    fuzz::touch(to_string(x));
  }
  for (auto [stream, id] : page->deleted)
    fuzz::check(stream < page->block->streams.size(), "a stream has a name");
}

void read_as_facts(const reply& x) {
  auto from_start = [&x](auto read) {
    cursor at{x};
    check_outcome(read(at));
  };
  from_start([](cursor& at) { return pending_entries(at); });
  from_start([](cursor& at) { return read_id(at, "XADD"); });
  from_start([](cursor& at) { return read_number(at, "XLEN"); });
  from_start([](cursor& at) { return read_ids(at, "renew"); });
  from_start([](cursor& at) { return read_stream_facts(at); });
  from_start([](cursor& at) { return read_group_facts(at); });
  from_start([](cursor& at) { return read_consumer_facts(at); });
  from_start([](cursor& at) { return read_dead_letters(at); });
  check_outcome(read_share_reply(x, "s"));
  check_outcome(read_stay_reply(x, 3));
  check_outcome(read_wake_ups(x));
  std::string last;
  from_start([&](cursor& at) { return read_redrive(at, last); });
  cursor at{x};
  if (const auto ok = read_ok(at, "XGROUP"); !ok)
    check_failure(ok.error());
  if (cursor error{x}; error.is(node_type::error))
    check_failure(error_of(error));
}

// What a producer makes of replies to its adds, with and without a script.
void read_as_results(const reply& x) {
  stream_options options;
  options.name = "orders";
  for (auto ttl : {0, 1'000}) {
    options.ttl = milliseconds{ttl};
    const add_format format{options};
    for (auto* dedup_id : {"", "once"}) {
      add_batch batch{format};
      batch.append({"n", "p", "t", dedup_id}, false, "unique");
      batch.append({"n", "p", {}, {}}, true, "other");
      batch.finish();
      const auto results = batch.results(x);
      fuzz::check(results.ids.size() == 2, "each add has a result");
    }
  }
}

void read_as_welcome(const reply& x) {
  redis::handshake uut{endpoint{}, "name"};
  for (uint32_t i = 0; i < 3; ++i) {
    const auto last = uut.on_reply(x);
    check_outcome(last);
    if (!last || *last)
      return;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  decoder from;
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  reply first;
  // All that comes for the answer of a batch, one for what has one reply.
  auto complete = from.next(rest, first);
  if (!complete || !*complete)
    return 0;
  auto all = first;
  for (auto more = all; complete && *complete;) {
    all = more;
    complete = from.next(rest, more);
  }
  read_as_facts(first);
  read_as_facts(all);
  read_as_results(all);
  read_as_welcome(first);
  auto copy = first;
  check_page(read_page(copy, "pulse:stream:"));
  check_page(range_page(first, "orders"));
  return 0;
}
