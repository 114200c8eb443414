-- Days until $1 that were counted before they were over for $2, and not since: nothing worked for long. A day is one of China.
SELECT day FROM uses_day_counted WHERE day <= $1 AND counted_at < (day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' + $2::interval ORDER BY day
