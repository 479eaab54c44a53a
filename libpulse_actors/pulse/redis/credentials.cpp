#include "pulse/redis/credentials.hpp"

#include <fstream>

namespace pulse::redis {

outcome<std::string> current_password(const redis_options& options,
                                      const endpoint& to) {
  if (!options.password.empty())
    return options.password;
  if (options.password_file.empty())
    return to.password;
  std::ifstream in{options.password_file};
  std::string result;
  if (!in || !std::getline(in, result) || result.empty())
    return failure{errc::auth_failed,
                   "password_file: cannot read a password from the first line "
                   "of \""
                     + options.password_file
                     + "\"; this process must be able to read the file"};
  return result;
}

} // namespace pulse::redis
