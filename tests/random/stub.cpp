#include "trial.hpp"
namespace usocket::tests {
void run_sending_trial(std::uint64_t, Record& ){}
void run_message_trial(std::uint64_t, Record& ){}
void run_accept_trial(std::uint64_t, Record& ){}
void run_readers_trial(std::uint64_t, Record& ){}
void run_close_trial(std::uint64_t, Record& ){}
void run_poll_trial(std::uint64_t, Record& ){}
void run_pollers_trial(std::uint64_t, Record& ){}
}
