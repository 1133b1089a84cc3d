// usocket.h: polling, and sleeping on a word.
#include "usocket/poll.hpp"

#include <atomic>

#include "c/convert.hpp"
#include "sys/sys.hpp"
#include "wait/held.hpp"

using namespace usocket;
using namespace usocket::c_face;

namespace {

static_assert(sizeof(Poll::Event) == sizeof(usocket_event_t) &&
              offsetof(Poll::Event, events) == offsetof(usocket_event_t, events) &&
              offsetof(Poll::Event, userdata) == offsetof(usocket_event_t, userdata) &&
              offsetof(Poll::Event, registration) == offsetof(usocket_event_t, registration));

Registration* cxx(usocket_registration_t* registration) noexcept {
    return reinterpret_cast<Registration*>(registration);
}

usocket_error_t give(const Result<Registration*>& made, usocket_registration_t** to) noexcept {
    if (made && to != nullptr) *to = reinterpret_cast<usocket_registration_t*>(*made);
    return c(made);
}

}  // namespace

void usocket_poll_init(usocket_poll_t* poll) { new (&opened<Poll>(poll)) Poll; }

void usocket_poll_destroy(usocket_poll_t* poll) {
    const Held held;
    Poll& self = c_face::cxx(poll);
    self.~Poll();
    new (&self) Poll;
}

usocket_error_t usocket_poll_register(usocket_poll_t* poll, usocket_socket_t* socket, unsigned events, void* userdata,
                                      usocket_registration_t** registration) {
    return give(c_face::cxx(poll).register_(c_face::cxx(socket), events, userdata), registration);
}

usocket_error_t usocket_poll_register_fd(usocket_poll_t* poll, int fd, unsigned events, void* userdata,
                                         usocket_registration_t** registration) {
    return give(c_face::cxx(poll).register_another(fd, events, userdata), registration);
}

usocket_error_t usocket_poll_modify(usocket_poll_t* poll, usocket_registration_t* registration, unsigned events) {
    return c(c_face::cxx(poll).modify(cxx(registration), events));
}

void usocket_poll_unregister(usocket_poll_t* poll, usocket_registration_t* registration) {
    c_face::cxx(poll).unregister(cxx(registration));
}

size_t usocket_poll_size(const usocket_poll_t* poll) { return c_face::cxx(poll).size(); }

usocket_error_t usocket_poll_wait(usocket_poll_t* poll, usocket_event_t* events, size_t room, usocket_timeout_t timeout,
                                  bool one_shot, size_t* count, usocket_call_t* call) {
    Poll& self = c_face::cxx(poll);
    auto* into = reinterpret_cast<Poll::Event*>(events);
    const Timeout span = c_face::cxx(timeout);
    return c_face::give(call == nullptr ? self.poll(into, room, span, one_shot)
                                        : self.poll(into, room, span, one_shot, c_face::cxx(call)),
                        count);
}

void usocket_poll_wake(usocket_poll_t* poll) { c_face::cxx(poll).wake(); }

// --- Words

namespace {

const std::atomic<std::uint32_t>& atomic(const uint32_t* word) noexcept {
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof *word);
    return *reinterpret_cast<const std::atomic<std::uint32_t>*>(word);
}

}  // namespace

void usocket_sleep_on_word(const uint32_t* word, uint32_t value, int ms) {
    const auto timeout = ms < 0 ? Timeout::none() : Timeout::of_nanoseconds(ms * std::int64_t{1'000'000});
    (void)sys::sleep_on_word(atomic(word), value, timeout);
}

void usocket_wake_word(const uint32_t* word) { sys::wake_word(atomic(word)); }
