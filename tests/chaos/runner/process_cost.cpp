#include "chaos/runner/nemesis.hpp"
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace pulse::chaos {

double cpu_seconds(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text;
  std::getline(in, text);
  // The second word is a name in parentheses, which may contain any character.
  std::istringstream rest{text.substr(text.rfind(')') + 1)};
  std::string word;
  for (int i = 0; i < 11; ++i)
    rest >> word;
  double user = 0;
  double kernel = 0;
  rest >> user >> kernel;
  return (user + kernel) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

int64_t rss_kb(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/statm"};
  int64_t total = 0;
  int64_t resident = 0;
  in >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1'024;
}

} // namespace pulse::chaos
