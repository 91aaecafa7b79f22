// The one place where Beast's separately compiled parts are made.
#include <boost/beast/src.hpp>
