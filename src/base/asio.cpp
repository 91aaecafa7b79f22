// The one place where Asio's separately compiled parts are made.
#include <boost/asio/impl/src.hpp>
