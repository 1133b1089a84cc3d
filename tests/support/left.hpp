// Whether a call is outside its host now (ScriptedHost), where it may not ask for the host's memory: another thread may
// be in the midst of the collector's.
#pragma once

namespace usocket::tests {

inline bool host_is_left = false;

// While others do something.
class OtherThreads {
public:
    OtherThreads() : was_left_(host_is_left) { host_is_left = false; }
    ~OtherThreads() { host_is_left = was_left_; }
    OtherThreads(const OtherThreads&) = delete;
    OtherThreads& operator=(const OtherThreads&) = delete;

private:
    bool was_left_;
};

}  // namespace usocket::tests
