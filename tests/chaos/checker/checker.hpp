#pragma once

#include "chaos/checker/history.hpp"
#include "chaos/checker/verdict.hpp"

namespace pulse::chaos {

/// Judges a run. The rules, by the names under which violations appear:
///
/// - "lost": a confirmed add that Redis did not keep; what Redis kept and a
///   sink neither finished nor gave up; what a reader that was there all the
///   time did not see. Only with appendfsync everysec, what was confirmed in
///   the last two seconds before Redis was killed may be gone with it.
/// - "stored twice", "phantom": as they say; also an add that was said to have
///   failed and is stored.
/// - "two live holders": an event began at a worker while another one, whose
///   time (ack_wait) was not over, was at it, and no fault had cut off one of
///   the two.
/// - "duplicate without a fault": it ran again although it had succeeded, and
///   no fault near it hit one of the two holders.
/// - "order", "keyed order": first deliveries, and deliveries of a topic.
/// - "stuck": pending or undelivered events, or consumers, at the end.
/// - "bad end": a process that crashed, or did not end when told to.
/// - "memory", "busy outage": it grew; it tried to connect once a second and
///   connection or more, or used the CPU, while Redis was away.
verdict judge(const history& run);

// The parts, each adds to the verdict.

void judge_adds(const history& run, verdict& out);
void judge_readers(const history& run, verdict& out);
void judge_deliveries(const history& run, verdict& out);
void judge_order(const history& run, verdict& out);
void judge_end(const history& run, verdict& out);
void measure_recovery(const history& run, verdict& out);

/// How long after its end a fault explains what happens: what was taken for
/// dead is delivered again after a lease, and a sweep that an outage delayed
/// by another lease; connections come back within 1.5 s; machines are busy.
int64_t aftermath(const settings& how);

/// Sets `until` of all faults, which are in the order of time. What is due
/// while Redis is away, or its clock astray, waits for its return: then the
/// time counts from there.
void find_aftermaths(const settings& how, std::vector<fault>& faults);

/// @returns the fault that hit everybody, slot `a` or slot `b`, and whose
/// aftermath was not over at `at`, of several the most likely cause; null if
/// there is none.
const fault* explanation(const history& run, const std::string& a,
                         const std::string& b, int64_t at);

} // namespace pulse::chaos
