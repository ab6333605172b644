"""The web lab: draw, train and look inside, in the browser. `handlens lab` opens it.

    app      ROUTES: every address, who may ask it, and the function that answers; begin here
    guard    what every request passes first: host, origin, role, size, deadline; and the headers of every response
    connection  lets go of whoever is slow
    keys     who somebody is: a link that works once is traded for a cookie
    asked    a request as a route's function sees it
    pages    the one shell of HTML, and the files in static/
    shelf    which runs there are, and networks that are ready to be asked
    draw     the routes of Draw            units  the arithmetic of one number    phone, lan  a phone as a pad, from the network
    together  drawings that come at the same time, answered in one thread
    own_digits, own_files  the routes of the user's own digits: one by one, and as files       sets  data sets and augmentation
    absent  data sets that are not here: which, how large, how to get them       fetching  gets them, when somebody asks for it
    trainings  the routes of Train         jobs, work, worker  a training in a process of its own, with its state on the disk
    estimate  how long one would take
    runs_page, sweeps_page, errors_page  the routes of Runs and Errors
    class_page  the routes of a class      classroom  who may come in, and what was told, on the disk
    board  what that comes to      projector  what is shown of it
    measured  runs that were measured, kept for the next question       pictures, tiles  images inside JSON
    code     the lines behind "show code"
    serving  a port, uvicorn, the browser, and the end

A page is a module in static/ of its own name, and a line in PAGES of static/app.js; there is no build step.
"""
