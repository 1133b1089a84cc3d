// A build without TLS: the trial of it does nothing.
#include "trial.hpp"

namespace usocket::tests {

void run_secure_trial(std::uint64_t /*seed*/, Record& record) { record.trace("this build has no TLS"); }

}  // namespace usocket::tests
