// A true sentence passes, and one that is marked as failing is known to.
#include <catch2/catch_session.hpp>
#include <catch2/catch_test_macros.hpp>

TEST_CASE("a true sentence passes") { REQUIRE(1 + 1 == 2); }
TEST_CASE("a false one fails", "[!shouldfail]") { REQUIRE(1 + 1 == 3); }

int main() { return Catch::Session().run(); }
