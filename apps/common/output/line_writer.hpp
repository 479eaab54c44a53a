#pragma once

#include "pulse/core/outcome.hpp"

#include "common/process/unique_fd.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace pulse::apps {

/// Writes whole lines to standard output or to the end of a file; each is
/// written before write() returns. Thread-safe: lines never mix.
class line_writer {
public:
  /// @param path Empty: standard output.
  /// Error: `errc::handler_failed` if the file cannot be opened.
  static outcome<std::shared_ptr<line_writer>> open(const std::string& path);

  /// Writes a line that ends with its newline.
  /// Error: `errc::handler_failed`; the line may then be there in part.
  status write(std::string_view line);

private:
  line_writer(std::string name, unique_fd file, int fd);

  std::string name_;
  unique_fd file_;
  int fd_;
  std::mutex mutex_;
};

} // namespace pulse::apps
