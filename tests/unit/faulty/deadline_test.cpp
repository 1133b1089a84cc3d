// TIME-2 TIME-3: one deadline for the whole call, to the nanosecond of the virtual clock, on every method that waits,
// whatever goes on inside it.
#include <functional>
#include <string>

#include "faulty.hpp"
#include "gtest/gtest.h"
#include "print.hpp"

namespace usocket::tests {
namespace {

using faulty::Kind;

constexpr std::int64_t timeout_ns = 250'000'000;
constexpr auto timeout = std::chrono::nanoseconds(timeout_ns);

// What waits for ever, each on the socket it is for.
struct Waiting {
    const char* name;
    std::function<Error(Socket&)> wait;
};

const Address nobody = Address::inet(AF_INET, "127.0.0.1", 9).value();

Error into(Result<std::size_t> (*method)(Socket&, MutableBuffer), Socket& socket) {
    char memory[100];
    return method(socket, MutableBuffer(memory)).error();
}

const Waiting receivers[] = {
    {"recv", [](Socket& s) { return s.recv(10).error(); }},
    {"recv_peek", [](Socket& s) { return s.recv(10, MSG_PEEK).error(); }},
    {"recvfrom", [](Socket& s) { return s.recvfrom(10).error(); }},
    {"recv_into", [](Socket& s) { return into([](Socket& t, MutableBuffer m) { return t.recv_into(m); }, s); }},
    {"recvmsg",
     [](Socket& s) {
         char memory[100];
         return s.recvmsg(MutableBuffer(memory)).error();
     }},
    {"read", [](Socket& s) { return s.read().error(); }},
    {"read_n", [](Socket& s) { return s.read(100).error(); }},
    {"readinto", [](Socket& s) { return into([](Socket& t, MutableBuffer m) { return t.readinto(m); }, s); }},
    {"readline", [](Socket& s) { return s.readline().error(); }},
    {"readline_into", [](Socket& s) { return into([](Socket& t, MutableBuffer m) { return t.readline_into(m); }, s); }},
};

const std::string too_much(1'000'000, 'x');

const Waiting senders[] = {
    {"send", [](Socket& s) { return s.send("x").error(); }},
    {"sendto", [](Socket& s) { return s.sendto("x", nobody).error(); }},
    {"sendall", [](Socket& s) { return s.sendall(too_much).error(); }},
    {"sendmsg",
     [](Socket& s) {
         const ConstBuffer pieces[] = {"x", "y"};
         return s.sendmsg(pieces).error();
     }},
    {"sendfile", [](Socket& s) { return s.sendfile(faulty::add_file(too_much)).error(); }},
    {"write", [](Socket& s) { return s.write(too_much).error(); }},
};

class Deadline : public ::testing::Test {
protected:
    void SetUp() override {
        connection_ = {};
        faulty::reset(1);
        connection_ = faulty::connect_pair(AF_INET, SOCK_STREAM);
        connection_.socket.settimeout(timeout).value();
        until_ = faulty::now() + timeout_ns;
    }
    // Signals all the time, and polls that lie.
    static void make_trouble() {
        faulty::Faults faults;
        faults[Kind::interrupt] = 500;
        faults[Kind::spurious] = 200;
        faults[Kind::again] = 200;
        faulty::set_faults(faults);
    }
    void expect_timeout(const Waiting& waiting) {
        SCOPED_TRACE(waiting.name);
        EXPECT_EQ(waiting.wait(connection_.socket), Error(ETIMEDOUT));
        EXPECT_EQ(faulty::now(), until_);
    }

    faulty::Connection connection_;
    std::int64_t until_ = 0;
};

TEST_F(Deadline, NothingArrives) {
    for (const Waiting& waiting : receivers) {
        SetUp();
        expect_timeout(waiting);
    }
}

TEST_F(Deadline, SignalsDoNotMoveIt) {
    for (const Waiting& waiting : receivers) {
        SetUp();
        make_trouble();
        expect_timeout(waiting);
    }
}

// A byte now and then is progress, but no reason to wait longer.
TEST_F(Deadline, BytesThatTrickleInDoNotMoveIt) {
    for (const Waiting& waiting : receivers) {
        if (std::string_view(waiting.name).starts_with("recv")) continue;  // these are content with one
        SetUp();
        for (int i = 1; i < 50; ++i) {
            faulty::at(faulty::now() + i * 10'000'000 - 1, [this] { connection_.peer.feed("x"); });
        }
        expect_timeout(waiting);
        EXPECT_EQ(connection_.socket.recv(1000)->view(), std::string(25, 'x'))
            << "what came in time is not lost (TIME-6)";
    }
}

// A peer that never stops, so that the call never has to wait.
TEST_F(Deadline, ItHoldsWhileBytesNeverStop) {
    faulty::Faults faults;
    faults[Kind::delay] = 1000;
    faults.longest_delay = 100'000;
    for (const auto wait :
         {+[](Socket& s) { return s.read().error(); }, +[](Socket& s) { return s.readline().error(); }}) {
        SetUp();
        std::size_t fed = 0;
        std::function<void()> feed = [&] {
            fed += connection_.peer.feed(std::string(20, 'x'));
            if (faulty::now() < until_ + timeout_ns) faulty::at(faulty::now() + 10'000, feed);
        };
        feed();
        faulty::set_faults(faults);
        EXPECT_EQ(wait(connection_.socket), Error(ETIMEDOUT));
        EXPECT_LE(faulty::now(), until_ + 3 * faults.longest_delay);
        faulty::set_faults(faulty::Faults());
        std::size_t left = 0;
        while (const auto some = connection_.socket.recv(100'000)) left += some->size();
        EXPECT_EQ(left, fed) << "nothing is lost (TIME-6)";
    }
}

TEST_F(Deadline, APeerThatTakesNothing) {
    for (const Waiting& waiting : senders) {
        for (const bool with_trouble : {false, true}) {
            SetUp();
            connection_.peer.set_room(0);
            if (with_trouble) make_trouble();
            expect_timeout(waiting);
        }
    }
}

TEST_F(Deadline, APeerThatTakesABitNowAndThen) {
    for (const Waiting& waiting : senders) {
        if (waiting.wait(connection_.socket) == Error()) continue;  // one byte is enough for it
        SetUp();
        connection_.peer.set_room(10);
        for (int i = 1; i < 50; ++i) {
            faulty::at(faulty::now() + i * 10'000'000, [this] { (void)connection_.peer.take(); });
        }
        expect_timeout(waiting);
    }
}

// Never full, and yet it never ends: each transfer takes its time.
TEST_F(Deadline, ItHoldsWhileTheQueueNeverFills) {
    faulty::Faults faults;
    faults[Kind::cut] = 1000;
    faults[Kind::delay] = 1000;
    faults.longest_delay = 100'000;
    const std::string much(100'000'000, 'x');
    connection_.peer.set_room(100);
    std::function<void()> take = [&] {
        (void)connection_.peer.take();
        if (faulty::now() < until_ + timeout_ns) faulty::at(faulty::now() + 1000, take);
    };
    take();
    faulty::set_faults(faults);
    EXPECT_EQ(connection_.socket.sendall(much).error(), Error(ETIMEDOUT));
    EXPECT_LE(faulty::now(), until_ + 3 * faults.longest_delay);
}

TEST_F(Deadline, NobodyConnects) {
    for (const bool with_trouble : {false, true}) {
        SetUp();
        Socket server = Socket::open().value();
        server.bind(Address::inet(AF_INET, "127.0.0.1", 80).value()).value();
        server.listen().value();
        server.settimeout(timeout).value();
        if (with_trouble) make_trouble();
        EXPECT_EQ(server.accept().error(), Error(ETIMEDOUT));
        EXPECT_EQ(faulty::now(), until_);
    }
}

TEST_F(Deadline, NobodyAnswers) {
    for (const bool with_trouble : {false, true}) {
        SetUp();
        faulty::set_connect_time(2 * timeout_ns);
        Socket socket = Socket::open().value();
        socket.settimeout(timeout).value();
        if (with_trouble) make_trouble();
        EXPECT_EQ(socket.connect(nobody).error(), Error(ETIMEDOUT)) << "and not EINPROGRESS (TIME-3)";
        EXPECT_EQ(faulty::now(), until_);
    }
}

// AF_UNIX has no connection in progress: its connect() is repeated.
TEST_F(Deadline, ABacklogThatIsFull) {
    for (const bool with_trouble : {false, true}) {
        SetUp();
        const Address here = Address::unix_path("here").value();
        Socket server = Socket::open(AF_UNIX, SOCK_STREAM).value();
        server.bind(here).value();
        server.listen(0).value();
        Socket first = Socket::open(AF_UNIX, SOCK_STREAM).value();
        first.connect(here).value();
        Socket second = Socket::open(AF_UNIX, SOCK_STREAM).value();
        second.settimeout(timeout).value();
        if (with_trouble) make_trouble();
        EXPECT_EQ(second.connect(here).error(), Error(ETIMEDOUT)) << "and not EAGAIN (TIME-3)";
        EXPECT_EQ(faulty::now(), until_);
    }
}

}  // namespace
}  // namespace usocket::tests
