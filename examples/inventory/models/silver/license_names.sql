-- How licences are spelled in the wild, and their names of SPDX. What is not here keeps its spelling.
select lower(spelling) as spelling, license
from (
    values
    ('MIT License', 'MIT'),
    ('MIT-License', 'MIT'),
    ('The MIT License', 'MIT'),
    ('Apache', 'Apache-2.0'),
    ('Apache 2', 'Apache-2.0'),
    ('Apache 2.0', 'Apache-2.0'),
    ('Apache-2', 'Apache-2.0'),
    ('Apache License 2.0', 'Apache-2.0'),
    ('Apache License, Version 2.0', 'Apache-2.0'),
    ('Apache Software License', 'Apache-2.0'),
    ('Apache Software License 2.0', 'Apache-2.0'),
    ('BSD', 'BSD (which is not said)'),
    ('BSD License', 'BSD (which is not said)'),
    ('BSD 2-Clause License', 'BSD-2-Clause'),
    ('BSD 3-Clause', 'BSD-3-Clause'),
    ('BSD 3-Clause License', 'BSD-3-Clause'),
    ('3-Clause BSD License', 'BSD-3-Clause'),
    ('Modified BSD License', 'BSD-3-Clause'),
    ('New BSD', 'BSD-3-Clause'),
    ('New BSD License', 'BSD-3-Clause'),
    ('ISC License', 'ISC'),
    ('ISC License (ISCL)', 'ISC'),
    ('MPL 2.0', 'MPL-2.0'),
    ('Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'),
    ('PSF', 'PSF-2.0'),
    ('PSFL', 'PSF-2.0'),
    ('Python Software Foundation License', 'PSF-2.0'),
    ('The Unlicense (Unlicense)', 'Unlicense')
) as names (spelling, license)
