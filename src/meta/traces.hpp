// The last step of an erasure.
#pragma once

#include "meta/database.hpp"

namespace satchel::meta {

// Inside a write with Erases::yes: that write returns only when no unused part of the engine's
// files holds any of what was removed before it, however rows were moved since they were written.
// It takes turns with other writes, so it may take its time.
// Errc::timed_out, beside the reasons of Erases::yes, if the process stops meanwhile.
void clear_traces(Session& session);

}  // namespace satchel::meta
