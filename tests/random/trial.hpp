// Trial: one seed's run over the system's sockets, in a process of its own; what is random in a step follows from the
// seed and the step's number, not from how the steps before it have ended.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "random.hpp"
#include "record.hpp"
#include "usocket/usocket.hpp"

namespace usocket::tests {

class Trial {
public:
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

protected:
    Trial(std::uint64_t seed, Record& record) : seed_(seed), random_(seed), record_(record) {}

    void begin_step(std::uint64_t step) {
        step_ = step;
        random_ = Random(seed_ * 1'000'003 + step + 1);
    }
    void trace(const std::string& what) {
        record_.trace(std::to_string(step_) + std::string(1 + depth_ * 4, ' ') + what);
    }
    // For every process and thread of the trial.
    bool require(bool is_right, const std::string& what) {
        if (!is_right) record_.found(what);
        return is_right;
    }
    [[nodiscard]] bool failed() const { return record_.has_finding(); }
    // What the trial itself needs, and what is never in question.
    template <class T> T must(Result<T> result) {
        if (!result) give_up(result.error());
        return std::move(*result);
    }
    void must(Result<void> result) {
        if (!result) give_up(result.error());
    }

    std::uint64_t seed_;
    Random random_;
    Record& record_;
    std::uint64_t step_ = 0;
    unsigned depth_ = 0;  // in the middle of how many calls

private:
    [[noreturn]] void give_up(Error error) {
        require(false, std::string("the trial itself cannot go on: ") + error.message());
        ::_exit(1);
    }
};

// The kinds of trials. Each ends with everything closed.
void run_stream_trial(std::uint64_t seed, Record& record);
void run_sending_trial(std::uint64_t seed, Record& record);
void run_message_trial(std::uint64_t seed, Record& record);
void run_accept_trial(std::uint64_t seed, Record& record);
void run_readers_trial(std::uint64_t seed, Record& record);
void run_close_trial(std::uint64_t seed, Record& record);
void run_poll_trial(std::uint64_t seed, Record& record);
void run_pollers_trial(std::uint64_t seed, Record& record);
void run_changing_trial(std::uint64_t seed, Record& record);
void run_secure_trial(std::uint64_t seed, Record& record);

}  // namespace usocket::tests
