#pragma once

#include "chaos/checker/history.hpp"
#include "chaos/checker/verdict.hpp"

namespace pulse::chaos {

/// Judges a run. These are the rules, by the names of their violations:
///
/// - "lost": Redis did not keep a confirmed add; or a sink neither finished an
///   event of the stream nor gave it up; or a reader that ran all the time did
///   not see an event. Only with appendfsync everysec, Redis may lose events
///   that it confirmed in the last two seconds before it was killed.
/// - "stored twice", "phantom": the stream has an event twice; or it has an
/// event
///   that nobody added, or whose add failed according to its producer.
/// - "two live holders": a worker began with an event while another worker held
///   it, the ack_wait of that worker was not over, and no fault had cut off one
///   of the two.
/// - "lease broken": another member had an event of a process that had been
///   stopped or killed for less than a third of its lease.
/// - "duplicate without a fault": an event was handled again after a success,
///   and no fault hit one of the two holders shortly before.
/// - "order", "keyed order": first deliveries, or deliveries of a topic, were
/// out
///   of order.
/// - "not counted": an event that came again did not have higher counts.
/// - "too soon": a refused event came again before three quarters of its pause
///   were over.
/// - "blamed": an event has a failure or a crash more, though its worker had
///   ended normally, at one of the first three such ends.
/// - "false notice": a sink said that events may be lost, and nobody had
///   deleted any.
/// - "silent recovery": somebody destroyed the group of a sink, and the sink
/// did
///   not say that it was missing.
/// - "silent loss": somebody deleted events that a sink had not handled, and
/// the
///   sink gave no notice that events may be lost.
/// - "stuck": at the end there were pending or undelivered events, or
/// consumers.
/// - "bad end": a process crashed, or did not end when it was told to.
/// - "memory", "busy outage": a process grew; or while Redis was away, it tried
///   to connect at least once per second and connection, or used much CPU time.
verdict judge(const history& run);

// The parts of judge(). Each adds its findings to the verdict.

void judge_adds(const history& run, verdict& out);
void judge_readers(const history& run, verdict& out);
void judge_deliveries(const history& run, verdict& out);
void judge_counts(const history& run, verdict& out);
void judge_order(const history& run, verdict& out);
void judge_notices(const history& run, verdict& out);
void judge_end(const history& run, verdict& out);
void measure_recovery(const history& run, verdict& out);

/// @returns for how long after its end a fault explains duplicates. The events
/// of a silent node are delivered again after a lease and a sweep, which an
/// outage delays by another lease. Connections come back within 1.5 s. The rest
/// is for busy machines.
int64_t aftermath(const settings& how, int64_t lease_us);

/// @returns the lease of a member of a sink.
int64_t lease_of(const history& run, const instance& x);

/// Sets `until` of all faults, which must be sorted by time. If Redis is away,
/// or its clock is wrong, redeliveries wait until that has ended, so the
/// aftermath begins then. That of a deleted group begins when the sink has read
/// all that comes again.
void find_aftermaths(const history& run, std::vector<fault>& faults);

/// @returns whether a fault hit a process, or all processes.
bool hits(const fault& x, const std::string& slot);

/// @returns whether a fault hit a sink, one of its processes, or all processes.
bool hits_sink(const fault& x, const std::string& sink);

/// @returns whether a notice may be the answer of a sink to a fault, as for the
/// time and the sink.
bool follows(const sink_notice& x, const fault& cause);

/// Finds the faults by which somebody took events from the group of a sink, so
/// that the sink could not handle them.
class group_losses {
public:
  group_losses(const history& run, std::string sink);

  /// @returns the fault that explains why the sink has not handled an event of
  /// the stream; null if there is none. Each fault explains no more events than
  /// it took.
  const fault* cause(const stored_event& lost);

private:
  const history& run_;
  std::string sink_;
  std::map<const fault*, int64_t> left_;
};

/// @returns the first fault by which somebody deleted an event that was added
/// since `invoked`; null if there is none.
const fault* deletion(const history& run, int64_t invoked);

/// @returns a fault that hit slot `a`, slot `b` or all processes, and whose
/// aftermath was not over at the time `at`; null if there is none. If there are
/// several, the result is the most likely cause.
const fault* explanation(const history& run, const std::string& a,
                         const std::string& b, int64_t at);

} // namespace pulse::chaos
