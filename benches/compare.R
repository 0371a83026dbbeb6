# The R side of compare.py: the same numbers, the same questions. One argument, the directory with the numbers;
# prints one line "case elapsed processor" per case, in seconds. boot and survival are used where they are installed.
directory <- commandArgs(trailingOnly = TRUE)[1]
numbers <- function(case) {
  file <- file.path(directory, paste0(case, ".f64"))
  readBin(file, "double", file.size(file) / 8, endian = "little")
}
# The best of some runs. Short work is repeated 200 times within a run, and compare.py divides.
best <- function(case, work, times = 3) {
  found <- sapply(seq_len(times), function(i) { gc(FALSE); system.time(work()) })
  cat(case, min(found["elapsed", ]), min(found["user.self", ] + found["sys.self", ]), "\n")
}

d <- matrix(numbers("judge"), nrow = 30)
best("judge", function() {
  p <- apply(d, 2, function(x) {
    wilcox.test(x, conf.int = TRUE, exact = TRUE, alternative = "less", mu = 0.5)$conf.int
    t.test(x, alternative = "less", mu = 0.5)$p.value
    t.test(x)$conf.int
    wilcox.test(x, exact = TRUE, alternative = "less", mu = 0.5)$p.value
  })
  p.adjust(p, "holm"); p.adjust(p, "BH")
})
if (requireNamespace("boot", quietly = TRUE)) {
  x <- numbers("bca_mean")
  best("bca_mean", function() {
    b <- boot::boot(x, function(v, i) mean(v[i]), 10000)
    boot::boot.ci(b, type = "bca")
  }, 1)
}
for (case in c("signed_rank_30", "signed_rank_50")) {
  x <- numbers(case)
  best(case, function() for (k in 1:200) wilcox.test(x, exact = TRUE))
}
x <- numbers("mann_whitney"); half <- length(x) / 2
best("mann_whitney", function() wilcox.test(x[1:half], x[-(1:half)], exact = FALSE), 1)
x <- numbers("hodges_lehmann"); half <- length(x) / 2
best("hodges_lehmann", function() median(outer(x[1:half], x[-(1:half)], "-")))
if (requireNamespace("survival", quietly = TRUE)) {
  x <- numbers("kaplan_meier"); half <- length(x) / 2
  best("kaplan_meier", function() survival::survfit(survival::Surv(x[1:half], x[-(1:half)]) ~ 1))
}
