# SPDX-License-Identifier: MIT
# Hashes of hashes, strings that are split and joined, a substitution each. ARG: rounds.
use strict;
use warnings;

my ($rounds) = @ARGV;
my (%kept, $total);
for my $round (1 .. $rounds) {
    my %made;
    for my $i (1 .. 2000) {
        my $name = "record " . ($round * 2000 + $i);
        $made{$name} = {id => $i, tags => [$i, $i + 1, "t$i"], line => "$name;" x ($i % 7 + 1)};
    }
    for my $name (sort keys %made) {
        my @parts = split /;/, $made{$name}{line};
        $total += @parts;
        (my $other = $name) =~ s/record/entry/;
        $kept{$other} = $made{$name} if $made{$name}{id} % 20 == 0;
    }
    delete @kept{grep { $kept{$_}{id} % 40 == 0 } keys %kept};
    $total += length join ",", map { $_->{line} } values %made;
}
print "$total ", scalar(keys %kept), "\n";
