-- SPDX-License-Identifier: MIT
-- Table churn: small records, strings as keys and values, arrays that grow. ARG: rounds.
local rounds = tonumber(arg[1])
local kept, total = {}, 0

local function record(i)
    return {id = i, name = "record " .. i, at = {x = i % 17, y = i % 31}, tags = {i, i + 1, i + 2}}
end

for round = 1, rounds do
    local made = {}
    for i = 1, 2000 do
        made[i] = record(round * 2000 + i)
    end
    local by_name = {}
    for _, r in ipairs(made) do
        by_name[r.name] = r
        total = total + r.at.x * #r.tags
    end
    for i = 1, 2000, 7 do
        kept[(round * 13 + i) % 20000] = made[i]
    end
    local parts = {}
    for i = 1, 400 do
        parts[#parts + 1] = made[i].name:upper() .. ";"
    end
    total = total + #table.concat(parts)
end
local names = 0
for _, r in pairs(kept) do
    names = names + #r.name
end
print(total, names)
