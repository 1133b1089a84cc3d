// The random tester: trial after trial, each in a process of its own that is ended when it hangs.
//
//     usocket_random                    from a seed of the day, until something is wrong
//     usocket_random --seconds 30       for so long
//     usocket_random --seed 7 --trace   that trial again, with what it does
//     usocket_random --seed 7 --seconds 30 --kind stream
//
// --findings 20 goes on after so many, --patience 3 is how long a trial may hang.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "descriptors.hpp"
#include "memory.hpp"
#include "stack.hpp"
#include "sys/sys.hpp"
#include "trial.hpp"

namespace usocket::tests {
namespace {

using Clock = std::chrono::steady_clock;

struct Kind {
    const char* name;
    void (*run)(std::uint64_t seed, Record& record);
    unsigned weight;
};
constexpr Kind kinds[] = {
    {"stream", run_stream_trial, 8}, {"sending", run_sending_trial, 2}, {"message", run_message_trial, 2},
    {"accept", run_accept_trial, 2}, {"readers", run_readers_trial, 4}, {"close", run_close_trial, 2},
    {"poll", run_poll_trial, 2},     {"pollers", run_pollers_trial, 2}, {"changing", run_changing_trial, 2},
    {"secure", run_secure_trial, 4},
};
constexpr std::chrono::seconds grace(2);  // after something wrong, for a report of a sanitizer's

struct Options {
    std::uint64_t seed = 0;
    std::chrono::seconds span{0};  // 0: one trial, or for ever
    bool has_seed = false;
    bool shows_trace = false;
    std::uint64_t findings = 1;         // after so many it ends
    std::chrono::seconds patience{60};  // with one trial, on a machine that does much else
    std::string kind;                   // all if empty
};

const Kind& kind_of(std::uint64_t seed, const std::string& name) {
    unsigned sum = 0;
    for (const Kind& kind : kinds) {
        if (kind.name == name) return kind;
        sum += kind.weight;
    }
    auto place = static_cast<unsigned>(Random(seed ^ 0x5eed).below(sum));
    for (const Kind& kind : kinds) {
        if (place < kind.weight) return kind;
        place -= kind.weight;
    }
    return kinds[0];
}

// The process's, or the stack's, if it has a table of its own.
std::size_t count_descriptors() {
    if (!lacks("files")) return open_descriptors();
    std::size_t count = 0;
    for (int fd = 0; fd < 10'000; ++fd) count += sys::inspect(fd).error() != Error(EBADF) ? 1 : 0;
    return count;
}

// The trial's process: nothing but the seed decides what it does.
[[noreturn]] void run_trial(const Kind& kind, std::uint64_t seed, Record& record) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::setpgid(0, 0);
    prepare_stack(seed);
    const std::size_t descriptors = count_descriptors();
    kind.run(seed, record);
    if (!record.has_finding()) {
        if (count_descriptors() != descriptors) record.found("a descriptor leaks (SOCK-3)");
        if (live_blocks() != 0) record.found("memory of the core's own leaks");
    }
    std::exit(0);  // ASan looks for leaks
}

// Waits for it; what is wrong with it goes into the record.
void await_trial(pid_t process, std::chrono::seconds patience, Record& record) {
    auto deadline = Clock::now() + patience;
    for (bool is_over = false;;) {
        if (record.has_finding() && !std::exchange(is_over, true)) deadline = Clock::now() + grace;
        int status = 0;
        if (::waitpid(process, &status, WNOHANG) == process) {
            if (WIFSIGNALED(status)) record.found("died of signal " + std::to_string(WTERMSIG(status)));
            if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
                record.found("exit status " + std::to_string(WEXITSTATUS(status)) + " (a sanitizer?)");
            }
            break;
        }
        if (Clock::now() > deadline) {
            record.found("it hangs");
            (void)::kill(process, SIGKILL);
            (void)::waitpid(process, nullptr, 0);
            break;
        }
        ::usleep(300);
    }
    (void)::kill(-process, SIGKILL);  // its peers and children
}

class Runner {
public:
    explicit Runner(Options options) : options_(std::move(options)), record_(Record::make()) {}

    int run() {
        std::printf("seeds from %llu\n", static_cast<unsigned long long>(options_.seed));
        const auto start = Clock::now();
        for (std::uint64_t seed = options_.seed; found_ < options_.findings; ++seed) {
            run_one(seed);
            const bool is_only_one = options_.has_seed && options_.span.count() == 0;
            if (is_only_one || (options_.span.count() != 0 && Clock::now() - start > options_.span)) break;
        }
        for (const auto& [name, count] : ran_) std::printf("%s %llu, ", name.c_str(), count);
        std::printf("%llu findings\n", static_cast<unsigned long long>(found_));
        return found_ == 0 ? 0 : 1;
    }

private:
    void run_one(std::uint64_t seed) {
        const Kind& kind = kind_of(seed, options_.kind);
        record_.clear();
        (void)std::fflush(stdout);
        const pid_t process = ::fork();
        if (process == 0) run_trial(kind, seed, record_);
        if (process < 0) std::abort();
        await_trial(process, options_.patience, record_);
        ++ran_[kind.name];
        // Many findings are for their sum, one is to be understood.
        if (options_.shows_trace || (record_.has_finding() && options_.findings == 1)) record_.print_trace();
        if (!record_.has_finding()) return;
        ++found_;
        std::printf("FOUND %s: %s; once more: usocket_random --seed %llu --kind %s --trace\n", kind.name,
                    record_.finding().c_str(), static_cast<unsigned long long>(seed), kind.name);
    }

    Options options_;
    Record& record_;
    std::map<std::string, unsigned long long> ran_;
    std::uint64_t found_ = 0;
};

int usage() {
    std::fprintf(stderr,
                 "usage: usocket_random [--seed N] [--seconds N] [--kind NAME] [--findings N] [--patience N] "
                 "[--trace]\n");
    return 2;
}

}  // namespace
}  // namespace usocket::tests

int main(int count, char** words) {
    using namespace usocket::tests;
    Options options;
    options.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count() / 1'000'000);
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--trace") {
            options.shows_trace = true;
            continue;
        }
        if (i + 1 == count) return usage();
        const char* value = words[++i];
        if (word == "--seed") {
            options.seed = std::strtoull(value, nullptr, 10);
            options.has_seed = true;
        } else if (word == "--seconds") {
            options.span = std::chrono::seconds(std::atoll(value));
        } else if (word == "--patience") {
            options.patience = std::chrono::seconds(std::atoll(value));
        } else if (word == "--findings") {
            options.findings = std::strtoull(value, nullptr, 10);
        } else if (word == "--kind") {
            options.kind = value;
        } else {
            return usage();
        }
    }
    return Runner(options).run();
}
