// Names, event IDs, start positions, topic patterns: any text is taken or
// refused with a reason; what is printed reads back.

#include "pulse/core/names.hpp"

#include "pulse/core/event.hpp"
#include "pulse/core/event_filter.hpp"
#include "pulse/core/event_id.hpp"
#include "pulse/core/start_position.hpp"

#include "check.hpp"

#include <cstdint>

using namespace pulse;

namespace {

void check_id(std::string_view text) {
  const auto id = parse_event_id(text);
  if (!id) {
    fuzz::check(id.error().code == errc::invalid_event_id, "the code says so");
    return;
  }
  const auto again = parse_event_id(to_string(*id));
  fuzz::check(again.ok() && *again == *id, "an ID reads back");
  fuzz::check(id->previous() <= *id && *id <= id->next(), "neighbours");
}

void check_position(std::string_view text) {
  const auto x = parse_start_position(text);
  if (!x) {
    fuzz::check(x.error().code == errc::invalid_option, "the code says so");
    return;
  }
  // "after <id>" is how it is printed, "<id>" is how it is read.
  auto printed = to_string(*x);
  if (x->kind == start_kind::after)
    printed.erase(0, 6);
  const auto again = parse_start_position(printed);
  fuzz::check(again.ok() && *again == *x, "a position reads back");
}

void check_names(std::string_view text) {
  const auto ok = check_name("stream name", text);
  bool clean = !text.empty() && text.size() <= max_name_size;
  for (auto c : text)
    clean = clean && static_cast<unsigned char>(c) > ' ' && c != '\x7f'
            && std::string_view{"*?[]"}.find(c) == std::string_view::npos;
  fuzz::check(ok.ok() == clean, "the rules are as documented");
  fuzz::check(ok.ok() || ok.error().what.size() < 500, "errors are short");
}

void check_pattern(std::string_view text) {
  filter_options options;
  options.topic_pattern = text;
  const auto filter = event_filter::compile(options);
  if (!filter) {
    fuzz::check(filter.error().code == errc::invalid_pattern,
                "the code says so");
    return;
  }
  const auto x = event::make({"orders", {1, 1}}, "n", "p", "a topic");
  fuzz::check(!filter->wants_everything() || filter->wants(x),
              "no condition, no refusal");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_id(text);
  check_position(text);
  check_names(text);
  if (size <= 64)
    check_pattern(text);
  return 0;
}
