// Urgent: the registrations that are ready for a reason that the system does not know, in a ring: closed ones, and
// those whose sockets keep bytes back.
#pragma once

#include <atomic>
#include <cstddef>

#include "poll/registration.hpp"

namespace usocket {

class Urgent {
public:
    // May be asked without the registry's lock.
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }

    // Where the next report begins.
    void begin_with(Registration& one) noexcept { first_ = &one; }
    // What is not in it goes behind all others.
    void insert(Registration& one) noexcept {
        one.is_urgent = true;
        if (first_ == nullptr) first_ = one.next_urgent = one.previous_urgent = &one;
        one.next_urgent = first_;
        one.previous_urgent = first_->previous_urgent;
        one.previous_urgent->next_urgent = &one;
        first_->previous_urgent = &one;
        size_.store(size() + 1, std::memory_order_release);
    }
    void remove(Registration& one) noexcept {
        one.is_urgent = false;
        one.previous_urgent->next_urgent = one.next_urgent;
        one.next_urgent->previous_urgent = one.previous_urgent;
        if (first_ == &one) first_ = one.next_urgent == &one ? nullptr : one.next_urgent;
        one.next_urgent = one.previous_urgent = nullptr;
        size_.store(size() - 1, std::memory_order_release);
    }
    // Each once; nothing may go meanwhile, and what comes is among the last.
    template <class Body> void for_each(Body body) const noexcept {
        Registration* const first = first_;
        for (Registration* one = first; one != nullptr;) {
            body(*one);
            one = one->next_urgent == first ? nullptr : one->next_urgent;
        }
    }

private:
    Registration* first_ = nullptr;
    std::atomic<std::size_t> size_{0};
};

}  // namespace usocket
