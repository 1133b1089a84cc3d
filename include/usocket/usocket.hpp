// All of usocket.
#pragma once

#include "usocket/address.hpp"
#include "usocket/buffer.hpp"
#include "usocket/connect.hpp"
#include "usocket/constants.hpp"
#include "usocket/host.hpp"
#include "usocket/message.hpp"
#include "usocket/poll.hpp"
#include "usocket/poll_of.hpp"
#include "usocket/resolver.hpp"
#include "usocket/result.hpp"
#include "usocket/socket.hpp"
#include "usocket/timeout.hpp"
#include "usocket/version.hpp"
