// What a partner may have, for people.
#pragma once

#include "app/output.hpp"

#include <boost/json/object.hpp>

namespace satchel::app {

// Of what the admin API says about a partner's quota.
Table quota_table(const boost::json::object& quota);

}  // namespace satchel::app
