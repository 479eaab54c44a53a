#include "pulse/actors/internal/reader/page_fetcher.hpp"

#include "pulse/core/log.hpp"

namespace pulse::internal {

page_fetcher::page_fetcher(reader_context& reader, hub_source_ptr hubs,
                           handler on_end)
  : reader_(reader),
    hubs_(std::move(hubs)),
    on_end_(std::move(on_end)),
    backoff_(retry_backoff()) {
  // nop
}

void page_fetcher::fetch(page_request x) {
  busy_ = true;
  anew_ = false;
  send(std::move(x));
}

void page_fetcher::cancel() {
  busy_ = false;
  anew_ = true;
  given_up_ = last_;
  if (hub_)
    send({});
}

void page_fetcher::send(page_request x) {
  if (!hub_)
    hub_ = hubs_->hub();
  const auto number = ++last_;
  request(reader_.self, hub_, caf::get_atom_v,
          page_request_ptr{std::make_shared<page_request>(std::move(x))})
    .then(
      [this, number](stream_pages_ptr& pages) {
        if (busy_ && number > given_up_)
          came(number, std::move(pages));
      },
      [this, number](const caf::error& why) {
        if (busy_ && number == last_)
          ended(to_failure(why));
      });
}

// The hub expects that the reader has the pages also if the request was
// replaced.
void page_fetcher::came(uint64_t number, stream_pages_ptr x) {
  if (number == last_)
    ended(std::move(x));
  else if (!x->empty())
    on_end_(std::move(x));
}

void page_fetcher::ended(outcome<stream_pages_ptr> x) {
  if (!x.ok() && (x.error().code == errc::closed || !is_alive(hub_)))
    return hub_ended();
  if (x.ok())
    backoff_.reset();
  busy_ = false;
  on_end_(std::move(x));
}

// The hub has ended with its last reader in this moment, or died of a defect,
// which might happen again and again.
void page_fetcher::hub_ended() {
  hub_ = nullptr;
  anew_ = true;
  given_up_ = last_;
  log(log_level::debug, reader_.component, "waits for another hub");
  reader_.timers.start(backoff_.next(reader_.random), [this, number = last_] {
    if (!busy_ || number != last_)
      return;
    busy_ = false;
    on_end_(stream_pages_ptr{std::make_shared<pages>()});
  });
}

} // namespace pulse::internal
