#include "chaos/checker/loader.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace pulse::chaos {

namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::error_code ignored;
  std::string result;
  if (const auto size = fs::file_size(file, ignored); !ignored)
    result.resize(size);
  in.read(result.data(), static_cast<std::streamsize>(result.size()));
  result.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return result;
}

// Returns the journals in a fixed order. Those of producers come first, because
// the others contain names of their events.
std::vector<fs::path> journals(const std::string& directory) {
  std::vector<fs::path> result;
  std::error_code ignored;
  for (const auto& x : fs::directory_iterator{directory, ignored})
    if (x.path().extension() == ".journal")
      result.push_back(x.path());
  auto rank = [](const fs::path& x) {
    const auto name = x.filename().string();
    return std::make_pair(name.compare(0, 9, "producer-") != 0, name);
  };
  std::sort(result.begin(), result.end(),
            [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return result;
}

} // namespace

outcome<history> load(const std::string& directory) {
  loader all;
  const auto files = journals(directory);
  if (files.empty())
    return failure{errc::internal, "there are no journals in " + directory};
  auto named = [](const fs::path& file, const status& x) {
    return failure{errc::internal, file.string() + ": " + x.error().what};
  };
  for (const auto& file : files)
    if (auto ok = all.add_journal(file.stem().string(), contents(file)); !ok)
      return named(file, ok);
  const std::pair<const char*, status (loader::*)(std::string_view)> others[]
    = {{"settings", &loader::add_settings},
       {"faults", &loader::add_faults},
       {"samples", &loader::add_samples},
       {"final", &loader::add_final}};
  for (auto [name, read] : others) {
    const auto file = fs::path{directory} / name;
    if (!fs::exists(file))
      return failure{errc::internal, file.string()
                                       + " is missing: the run did "
                                         "not come to its end"};
    if (auto ok = (all.*read)(contents(file)); !ok)
      return named(file, ok);
  }
  return all.finish();
}

} // namespace pulse::chaos
