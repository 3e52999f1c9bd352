// SPDX-License-Identifier: MIT
// Maps and strings in C++, on two threads: each counts words, which it makes, in a tree and in a
// hash table, and hands vectors of strings to the other one, which drops them. ARG: rounds.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace
{

using Words = std::vector<std::string>;

// What one thread leaves for the other.
class Tray
{
  public:
    void put(Words words)
    {
        std::lock_guard<std::mutex> hold(lock_);
        words_.push_back(std::move(words));
    }
    std::vector<Words> take()
    {
        std::lock_guard<std::mutex> hold(lock_);
        return std::exchange(words_, {});
    }

  private:
    std::mutex lock_;
    std::vector<Words> words_;
};

struct Worker {
    Tray *to, *from;
    std::uint64_t seed;
    int rounds;
    std::size_t sum = 0;

    std::uint32_t below(std::uint32_t n)
    {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>(((seed >> 32) * n) >> 32);
    }

    Words words()
    {
        Words made;
        for (int i = 0; i < 500; i++) {
            std::string word = "word " + std::to_string(below(5000));
            if (below(4) == 0)
                word += " of a longer kind, which is not in the string itself";
            made.push_back(std::move(word));
        }
        return made;
    }

    void operator()()
    {
        std::map<std::string, std::size_t> tree;
        std::unordered_map<std::string, std::vector<int>> places;
        for (int round = 0; round < rounds; round++) {
            Words made = words();
            for (const std::string &word : made) {
                tree[word]++;
                places[word].push_back(round);
            }
            for (const std::string &word : made)
                if (below(2) == 0) {
                    tree.erase(word);
                    places.erase(word);
                }
            to->put(std::move(made));
            from->take(); // and drop
        }
        for (const auto &entry : tree)
            sum += entry.second * entry.first.size();
        for (const auto &entry : places)
            sum += entry.second.size();
    }
};

} // namespace

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
    Tray here, there;
    Worker one{&there, &here, 1, rounds}, other{&here, &there, 2, rounds};
    std::thread second(std::ref(other));
    one();
    second.join();
    std::printf("%zu\n", one.sum + other.sum);
}
