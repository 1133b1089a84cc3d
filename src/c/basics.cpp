// usocket.h: version, errors, time, calls, memory that grows.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "c/convert.hpp"
#include "stream/resized.hpp"
#include "sys/sys.hpp"
#include "usocket/version.hpp"

using namespace usocket;
using namespace usocket::c_face;

const char* usocket_version() { return USOCKET_VERSION_STRING; }

// --- Errors

int usocket_code(usocket_error_t error) { return cxx(error).code(); }
const char* usocket_message(usocket_error_t error) { return cxx(error).message(); }
bool usocket_is_fault(usocket_error_t error) { return cxx(error).fault() != Fault::none; }

static_assert(static_cast<std::int32_t>(USOCKET_FIRST_FAULT) + 1 ==
              std::bit_cast<std::int32_t>(Error(static_cast<Fault>(1))));

// --- Time

usocket_error_t usocket_seconds(double seconds, usocket_timeout_t* timeout) {
    return give(Timeout::from_seconds(seconds), timeout);
}

usocket_deadline_t usocket_deadline_after(usocket_timeout_t timeout) {
    if (timeout.nanoseconds < 0) return {0};
    const std::int64_t now = sys::now();
    return {now + std::min(timeout.nanoseconds, INT64_MAX - now)};
}

usocket_timeout_t usocket_deadline_left(usocket_deadline_t deadline) {
    if (deadline.nanoseconds == 0) return {-1};
    if (deadline.nanoseconds < 0) return {1};
    return {std::max<std::int64_t>(deadline.nanoseconds - sys::now(), 1)};
}

// --- Calls

static_assert(sizeof(Host) == sizeof(usocket_host_t) && offsetof(Host, enter) == offsetof(usocket_host_t, enter) &&
              offsetof(Host, interrupted) == offsetof(usocket_host_t, interrupted) &&
              offsetof(Host, unwinds) == offsetof(usocket_host_t, unwinds) &&
              offsetof(Host, looks_for_signals) == offsetof(usocket_host_t, looks_for_signals));

usocket_call_t* usocket_call_init(usocket_call_t* call, const usocket_host_t* host, usocket_deadline_t deadline) {
    std::optional<Deadline> until;
    if (deadline.nanoseconds != 0) {
        until.emplace(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(deadline.nanoseconds)));
    }
    new (&opened<Call>(call)) Call(reinterpret_cast<const Host*>(host), until);
    return call;
}

void usocket_unwound(usocket_socket_t* socket, usocket_call_t* call) {
    Call&& was = cxx(call);
    if (socket == nullptr) {
        unwound(was);
    } else {
        cxx(socket).unwound(was);
    }
}

// --- Memory that grows

void usocket_sink_init(usocket_sink_t* sink) { new (&opened<Sink>(sink)) Sink(Resized::sink()); }
void usocket_sink_destroy(usocket_sink_t* sink) { Resized::release(cxx(sink)); }

void usocket_sink_clear(usocket_sink_t* sink) { cxx(sink).set_size(0); }
bool usocket_sink_reserve(usocket_sink_t* sink, size_t size) { return cxx(sink).reserve(size); }
uint8_t* usocket_sink_data(const usocket_sink_t* sink) { return cxx(sink).data(); }
size_t usocket_sink_size(const usocket_sink_t* sink) { return cxx(sink).size(); }
size_t usocket_sink_capacity(const usocket_sink_t* sink) { return cxx(sink).capacity(); }

// --- Sizes

size_t usocket_size_of(int object) {
    switch (object) {
        case USOCKET_SIZE_SOCKET: return sizeof(usocket_socket_t);
        case USOCKET_SIZE_ADDRESS: return sizeof(usocket_address_t);
        case USOCKET_SIZE_CALL: return sizeof(usocket_call_t);
        case USOCKET_SIZE_SINK: return sizeof(usocket_sink_t);
        case USOCKET_SIZE_POLL: return sizeof(usocket_poll_t);
        case USOCKET_SIZE_CONNECTING: return sizeof(usocket_connecting_t);
        default: return 0;
    }
}
